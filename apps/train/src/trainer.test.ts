import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RandomStream, startEngine } from '@onco-response/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallCases, smallModel, smallStudy, smallVariants } from './__fixtures__/small-training.js';
import type { AugmentedTokens } from './augmented-tokens.js';
import { readCheckpoint } from './checkpoint.js';
import { EmbeddingMemory } from './embedding-memory.js';
import { createOptimizer } from './optimizer.js';
import { type LogEvent, readRunLog } from './run-log.js';
import type { Study } from './study.js';
import { trainModel } from './trainer.js';
import { TrainingBags } from './training-bags.js';
import { numberPatients, stepGradients } from './training-step.js';

let folder: string;
beforeAll(async () => {
  await startEngine({ backend: 'cpu' });
  folder = await mkdtemp(join(tmpdir(), 'onco-trainer-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { cases, tokens } = smallCases(18);
const CRASH = new Error('as killed');

/** Trains into `name`; returns the hash of all that the model holds afterwards. */
async function trainInto(
  name: string,
  study: Study,
  {
    crashAfterReads = Number.POSITIVE_INFINITY,
    interrupted = () => false,
    patientIds = false,
    augmented,
  }: {
    crashAfterReads?: number;
    interrupted?: () => boolean;
    patientIds?: boolean;
    augmented?: AugmentedTokens | undefined;
  } = {},
) {
  const before = tf.memory().numTensors;
  const model = await smallModel(study, cases.slice(0, 12));
  let reads = 0;
  try {
    const state = await trainModel({
      model,
      study,
      tokens: {
        read: (caseId: string) => (++reads > crashAfterReads ? Promise.reject(CRASH) : tokens.read(caseId)),
      },
      train: cases.slice(0, 12),
      augmented,
      validation: cases.slice(12),
      checkpointPath: join(folder, name, 'checkpoint.safetensors'),
      identity: 'identity',
      interrupted,
      patientIds,
    });
    const hash = createHash('sha256');
    for (const [key, variable] of Object.entries(model.namedTensors())) {
      hash.update(key).update(new Uint8Array(variable.dataSync().slice().buffer));
    }
    return { state, hash: hash.digest('hex') };
  } finally {
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
}

const withoutTimes = (events: LogEvent[]) =>
  events.map((event) => ({ ...event, at: 0, seconds: 0, secondsLeft: 0, peakMemoryMib: 0 }));

const everything =
  'averageDecay: 0.9, schedule: plateau, plateau: { patience: 0 }, accumulate: 2, keepCheckpoints: 2, adapter: { learningRate: 0.002, weightDecay: 0 }, decayBiasesAndNorms: false, monitor: prAuc, sampler: balancedPatients, gradientCache: true, chunkSize: 2';
const everyLoss =
  'memory: 6, ambiguityWeights: true, pairsWithinPatient: false, baseTemperature: 0.07, contrastiveSchedule: { epochs: 2 }';

const all = smallStudy({ training: everything, model: '  clinical: [age, stage]', loss: everyLoss });

test.each([
  ['the defaults', smallStudy(), undefined],
  ['everything on', all, undefined],
  ['everything on and copies', all, 'copies'],
  ['fresh variants', smallStudy(), 'fresh'],
] as const)(
  'with %s, a run that is killed or stopped again and again ends with the same bits and log',
  async (name, study, kind) => {
    const variants = () => kind && smallVariants(tokens, kind).augmented;
    const undisturbed = await trainInto(`${name}-undisturbed`, study, { augmented: variants() });
    const random = new RandomStream(1, name);
    const killed = `${name}-killed`;
    let result: Awaited<ReturnType<typeof trainInto>> | undefined;
    for (let tries = 0; !result; tries++) {
      let asked = 0;
      const after = random.integer(4);
      const stopping = tries % 2 === 1;
      result = await trainInto(
        killed,
        study,
        tries > 8
          ? { augmented: variants() }
          : stopping
            ? { augmented: variants(), interrupted: () => ++asked > after }
            : { augmented: variants(), crashAfterReads: 14 + random.integer(30) },
      ).catch((error) => {
        expect(stopping ? error.code : error).toBe(stopping ? 'INTERRUPTED' : CRASH);
        return undefined;
      });
    }
    expect(result.hash).toBe(undisturbed.hash);
    expect(result.state.history).toEqual(undisturbed.state.history);
    const log = async (run: string) => readRunLog(join(folder, run, 'log.jsonl'));
    const events = await log(killed);
    expect(withoutTimes(events)).toEqual(withoutTimes(await log(`${name}-undisturbed`)));
    expect(events.map(({ event }) => event).join(' ')).toBe(
      'started epoch checkpoint epoch checkpoint epoch checkpoint finished',
    );
    // run again when it is done, nothing is trained, and log and bits stay
    expect((await trainInto(killed, study, { crashAfterReads: 0 })).hash).toBe(undisturbed.hash);
    expect(await log(killed)).toEqual(events);
  },
);

test('variants are drawn for training cases only, others every epoch, the same for the same seed', async () => {
  for (const kind of ['copies', 'fresh'] as const) {
    const train = async (run: string) => {
      const { augmented, asked } = smallVariants(tokens, kind);
      return { asked, ...(await trainInto(`${kind}-${run}`, smallStudy(), { augmented })) };
    };
    const [first, second] = [await train('a'), await train('b')];
    expect(first.asked).toEqual(second.asked);
    expect(first.hash).toBe(second.hash);
    expect(first.hash).not.toBe((await trainInto('the defaults-undisturbed', smallStudy())).hash);
    const training = new Set(cases.slice(0, 12).map(({ caseId }) => caseId));
    for (const asked of first.asked) expect(training).toContain(asked.split(' ')[0]);
    if (kind === 'fresh') {
      expect(first.asked).toHaveLength(3 * 12);
      expect(new Set(first.asked).size).toBe(3 * 12);
    } else {
      // each case as it is or one of two copies, in three epochs: 24 of 36 draws are copies, give or take 3 deviations
      expect(first.asked.length).toBeGreaterThan(24 - 9);
      expect(first.asked.length).toBeLessThan(24 + 9);
      expect(new Set(first.asked.map((asked) => asked.split(' ').at(-1)))).toEqual(new Set(['1', '2']));
    }
  }
});

test('the log names patients only where it is told to', async () => {
  const text = async (name: string) => readFile(join(folder, name, 'log.jsonl'), 'utf8');
  expect(await text('the defaults-undisturbed')).not.toMatch(/patient-|case-/);
  await trainInto('named', smallStudy({ training: '' }), { patientIds: true });
  expect(await text('named')).toContain('"patient-12"');
});

test('keep: lastEpoch trains to the end and keeps what it has then, whatever the validation cases say', async () => {
  const still = 'monitor: balancedAccuracy, weightDecay: 0.5'; // that figure of six cases seldom moves
  const best = await trainInto('best epoch', smallStudy({ training: still }));
  expect(best.state.best?.epoch).toBeLessThan(3);
  const last = await trainInto('last epoch', smallStudy({ training: `keep: lastEpoch, ${still}` }));
  expect(last.state.best?.epoch).toBe(3);
  expect(last.hash).not.toBe(best.hash);
  const saved = await readCheckpoint(join(folder, 'last epoch', 'checkpoint.safetensors'));
  expect(saved?.best).toEqual(saved?.weights);
});

test('the last checkpoints and the best are kept, and stand in for a damaged one', async () => {
  const study = smallStudy({ training: 'keepCheckpoints: 2' });
  const { hash, state } = await trainInto('kept', study);
  const names = await readdir(join(folder, 'kept', 'checkpoints'));
  const wanted = new Set([2, 3, state.best?.epoch]);
  expect(names.sort()).toEqual([...wanted].sort().map((epoch) => `epoch-00000${epoch}.safetensors`));
  const newest = join(folder, 'kept', 'checkpoint.safetensors');
  const third = join(folder, 'kept', 'checkpoints', 'epoch-000003.safetensors');
  for (const path of [newest, third]) {
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes.subarray(0, bytes.length >> 1));
  }
  expect((await trainInto('kept', study)).hash).toBe(hash); // from epoch 2
});

const stepOptions = (model: Awaited<ReturnType<typeof smallModel>>, { loss }: Study, memory = 0) => ({
  model,
  bags: new TrainingBags({ tokens, slicesPerStep: null, seed: 3 }),
  loss,
  positiveWeight: 1.5,
  memory: new EmbeddingMemory(memory),
  weights: { contrastive: loss.contrastive, hardNegatives: loss.hardNegatives },
  patientNumbers: numberPatients(cases),
  chunkSize: null as number | null,
});

test('accumulated over batches, the gradient of the classification loss is that of one large batch', async () => {
  const study = smallStudy({
    loss: 'contrastive: 0, hardNegatives: 0',
    model: '',
  });
  study.model.aggregation.dropout = 0;
  study.model.head.dropout = 0;
  study.model.encoder.lora_dropout = 0;
  const model = await smallModel(study);
  const before = tf.memory().numTensors;
  const options = stepOptions(model, study);
  const [large, small] = [
    await stepGradients([cases.slice(0, 10)], options),
    await stepGradients([cases.slice(0, 4), cases.slice(4, 8), cases.slice(8, 10)], options),
  ];
  expect(Math.abs(large.loss - small.loss)).toBeLessThan(1e-6);
  expect(Object.keys(small.gradients)).toEqual(Object.keys(large.gradients));
  for (const [name, gradient] of Object.entries(large.gradients)) {
    const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(gradient, small.gradients[name]!))).dataSync()[0]!);
    expect(difference, name).toBeLessThan(1e-6);
  }
  tf.dispose([large.gradients, small.gradients]);
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

test('adapter and head have rates and decays of their own, vectors are not decayed on request', async () => {
  const study = smallStudy({
    training:
      'weightDecay: 0.5, adapter: { learningRate: 0.001, weightDecay: 0.25 }, decayBiasesAndNorms: false',
  });
  const model = await smallModel(study);
  const variables = model.namedVariables();
  const optimizer = createOptimizer(variables, study.training);
  const values = (name: string) => Array.from(variables[name]!.dataSync());
  const names = Object.keys(variables);
  const before = Object.fromEntries(names.map((name) => [name, values(name)]));
  // without a gradient only decay moves a weight: by learningRate * weightDecay
  tf.tidy(() =>
    optimizer.applyGradients(
      Object.fromEntries(Object.values(variables).map((each) => [each.name, tf.zerosLike(each)])),
    ),
  );
  for (const name of names) {
    const factor =
      variables[name]!.rank < 2 ? 1 : name.startsWith('adapter.') ? 1 - 0.001 * 0.25 : 1 - 0.01 * 0.5;
    values(name).forEach((value, i) => {
      expect(value).toBeCloseTo(before[name]![i]! * factor, 6);
    });
  }
  optimizer.dispose();
  model.dispose();
});

test('gradient caching gives the gradient of the whole batch, dropout included', async () => {
  const study = smallStudy();
  const model = await smallModel(study);
  const options = stepOptions(model, study);
  const before = tf.memory().numTensors;
  const states = model.streams();
  // one chunk draws its dropout as the whole batch does
  const whole = await stepGradients([cases.slice(0, 6)], options);
  const after = model.streams();
  model.restoreStreams(states);
  const oneChunk = await stepGradients([cases.slice(0, 6)], { ...options, chunkSize: 6 });
  expect(model.streams()).toEqual(after);
  const difference = (a: tf.NamedTensorMap, b: tf.NamedTensorMap) =>
    Math.max(
      ...Object.keys(a).map((name) =>
        tf.tidy(() => tf.max(tf.abs(tf.sub(a[name]!, b[name]!))).dataSync()[0]!),
      ),
    );
  expect(Object.keys(oneChunk.gradients).sort()).toEqual(Object.keys(whole.gradients).sort());
  expect(difference(whole.gradients, oneChunk.gradients)).toBeLessThan(1e-5);
  tf.dispose([whole.gradients, oneChunk.gradients]);
  // without dropout, any chunks do
  for (const part of [study.model.aggregation, study.model.head]) part.dropout = 0;
  study.model.encoder.lora_dropout = 0;
  const plain = await smallModel(study);
  const plainOptions = stepOptions(plain, study);
  const afterPlain = tf.memory().numTensors;
  const [all, chunked] = [
    await stepGradients([cases.slice(0, 7)], plainOptions),
    await stepGradients([cases.slice(0, 7)], { ...plainOptions, chunkSize: 3 }),
  ];
  expect(chunked.loss).toBeCloseTo(all.loss, 5);
  expect(chunked.terms.contrastive).toBeGreaterThan(0);
  expect(difference(all.gradients, chunked.gradients)).toBeLessThan(1e-5);
  tf.dispose([all.gradients, chunked.gradients]);
  expect(tf.memory().numTensors).toBe(afterPlain);
  plain.dispose();
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});
