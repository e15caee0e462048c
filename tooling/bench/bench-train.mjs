import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { bootstrapCi, rocAuc } from '@onco-response/metrics';
import { encoderDirectory, readRunLog } from '../../apps/train/dist/index.js';
import { here, median } from './bench-tools.mjs';

const root = join(here, '../..');
/** Of the patients, whose first nodule alone is taken: the shares of train, validation and test. */
const SHARES = { train: 0.4, validation: 0.1, test: 0.5 };

/**
 * A whole training on real CT (LIDC nodules, one a patient) by `onco-train fit` beside PyTorch, transformers, peft and
 * pytorch-metric-learning: same cases, weights and method, number of epochs and threads. Counted are reading and preparing
 * the images (ours: and the frozen blocks), all epochs with their validation, and the test cases, divided by the epochs;
 * starting the process and loading libraries is not, nor the peer's loading of weights. The sides take turns, seed by seed.
 * With the first seed ours runs with an empty cache too; the weights that come out are the same.
 * @returns every single measurement
 */
export async function benchTrain({ peer, data, epochs, cases, seeds, imageSize, threads }) {
  const cohort = prepareCohort(data, cases);
  const encoder = encoderDirectory('dinov2-small', root);
  const method = methodOf({ epochs, imageSize });
  const cache = mkdtempSync(join(data, 'cache-'));
  const runs = [];
  try {
    for (const seed of Array.from({ length: seeds }, (_, index) => index + 1)) {
      const common = { cohort, encoder, method, seed, threads, data };
      const first = seed === 1 ? await ours({ ...common, cache }) : undefined;
      const warm = await ours({ ...common, cache });
      const theirs = await theirRun(peer, { ...common, splits: warm.splits });
      runs.push({ seed, ...(first && { first }), warm, peer: theirs });
      console.error(`seed ${seed} of ${seeds} is done`);
    }
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
  const summary = summarise(runs, epochs);
  print(summary, { epochs, imageSize, threads, runs });
  return { epochs, imageSize, threads, ...summary, runs };
}

/** Everything that decides what is trained: our study's `model`, `loss` and `training`, which the peer is given too. */
const methodOf = ({ epochs, imageSize }) => ({
  model: {
    input: {
      mode: 'ct',
      field: 'lesionBox',
      marginMm: 4,
      window: { level: -300, width: 1400 },
      slices: { choice: 'lesionUniform', count: 6 },
      imageSize,
    },
    encoder: { adaptedBlocks: 4, r: 8, lora_alpha: 16, lora_dropout: 0.05 },
    aggregation: { kind: 'contextual', hiddenSize: 192, dropout: 0.25 },
    head: { hiddenSizes: [96], dropout: 0.25, projectionSize: 128 },
  },
  loss: {
    classification: 'weightedBce',
    contrastive: 0.5,
    temperature: 0.07,
    hardNegatives: 0.1,
    hardNegativeMode: 'batchHardTriplet', // the one that pytorch-metric-learning has too
    hardNegativeMargin: 0.2,
    memory: 0,
  },
  training: {
    epochs,
    batchSize: 16,
    learningRate: 5e-4,
    weightDecay: 0.01,
    warmUpEpochs: 1,
    clipNorm: 1,
    monitor: 'loss',
    patience: epochs, // every epoch is run
  },
});

/** A manifest with the first nodule of the first patients, as many as give `cases` to train on; unpacked once. */
function prepareCohort(data, cases) {
  const folder = join(data, 'lidc-cohort');
  const all = join(folder, 'cohort.csv');
  if (!existsSync(all)) {
    execFileSync(process.execPath, [join(root, 'examples/lidc/prepare.mjs'), '--out', folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const [head, ...rows] = readFileSync(all, 'utf8').trim().split('\n');
  const patients = new Map(rows.map((row) => [row.split(',')[0], row]).reverse());
  const chosen = [...patients].reverse().slice(0, Math.round(cases / SHARES.train));
  const path = join(folder, `cohort-${cases}.csv`);
  writeFileSync(path, `${[head, ...chosen.map(([, row]) => row)].join('\n')}\n`);
  return resolve(path);
}

async function ours({ cohort, encoder, method, seed, threads, data, cache }) {
  const out = mkdtempSync(join(data, 'run-'));
  const study = {
    name: 'bench train',
    positiveClass: 'malignant',
    target: 'Whether a lung nodule was rated malignant (a benchmark).',
    cohort,
    encoder,
    seed: 0, // draws the splits, the same for all
    seeds: [seed],
    threads,
    splits: SHARES,
    ...method,
    evaluation: { resamples: 100, attentionCases: 0 },
  };
  const config = join(out, 'study.yaml');
  writeFileSync(config, JSON.stringify(study)); // JSON is YAML
  const cli = join(root, 'apps/train/dist/cli.js');
  const child = spawn(process.execPath, [cli, 'fit', '--config', config, '--out', out], {
    env: { ...process.env, ONCO_RESPONSE_CACHE: cache },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let preparing;
  const said = [];
  const ended = new Promise((done) => child.on('close', done));
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.startsWith('engine: ')) preparing = Date.now(); // from here: weights, images, frozen blocks
  }
  if ((await ended) !== 0) throw new Error(`onco-train fit failed:\n${said.join('\n')}`);
  const log = await readRunLog(join(out, 'log.jsonl'));
  const at = (name) => Date.parse(log.find(({ event }) => event === name).at);
  const epochs = log.filter(({ event }) => event === 'epoch');
  const splits = JSON.parse(readFileSync(join(out, 'splits.json'), 'utf8')).cases;
  const rows = readFileSync(join(out, 'predictions.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(','))
    .filter(([, split]) => split === 'test');
  const byCase = new Map(rows.map(([id, , label, logit]) => [id, [Number(label), Number(logit)]]));
  const result = {
    trainedParameters: log[0].trainedParameters,
    prepareSeconds: (at('started') - preparing) / 1000,
    trainSeconds: (at('finished') - at('started')) / 1000,
    testSeconds: (statSync(join(out, 'predictions.csv')).mtimeMs - at('finished')) / 1000,
    epochSeconds: epochs.map(({ seconds }) => seconds),
    peakMb: epochs.at(-1).peakMemoryMib * 1.048576,
    splits,
    testLabels: splits.test.map((id) => byCase.get(id)[0]),
    testLogits: splits.test.map((id) => byCase.get(id)[1]),
    library: said.find((line) => line.startsWith('engine: ')),
  };
  rmSync(out, { recursive: true });
  return result;
}

async function theirRun(peer, { cohort, splits, encoder, method, seed, threads }) {
  const child = spawn(peer, [join(here, 'train_peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(`${JSON.stringify({ cohort, splits, encoder, method, seed, threads })}\n`);
  let answer;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"trainedParameters"')) answer = JSON.parse(line);
  }
  if (!answer) throw new Error(`${peer} train_peer.py ended without an answer`);
  return answer;
}

function summarise(runs, epochs) {
  const first = ({ prepareSeconds, trainSeconds, testSeconds }) =>
    (prepareSeconds + trainSeconds + testSeconds) / epochs;
  // A warm run reads what is kept; the peer's images, prepared once, would be kept too.
  const again = ({ trainSeconds, testSeconds }) => (trainSeconds + testSeconds) / epochs;
  const labels = runs[0].warm.testLabels;
  return {
    cases: Object.fromEntries(Object.entries(runs[0].warm.splits).map(([name, ids]) => [name, ids.length])),
    ratios: {
      first: first(runs[0].first) / first(runs[0].peer),
      warm: median(runs.map((run) => first(run.warm) / again(run.peer))),
    },
    table: runs.map((run) => {
      const aucs = Object.fromEntries(
        ['warm', 'peer'].map((side) => {
          const auc = bootstrapCi(rocAuc, labels, run[side].testLogits, { resamples: 2000, seed: 0 });
          return [side, { auc: auc.estimate, low: auc.lower, high: auc.upper }];
        }),
      );
      const within = (one, other) => one.auc >= other.low && one.auc <= other.high;
      return {
        seed: run.seed,
        first: run.first && first(run.first),
        warm: first(run.warm),
        peerFirst: first(run.peer),
        peerAgain: again(run.peer),
        ours: aucs.warm,
        peer: aucs.peer,
        oursInPeers: within(aucs.warm, aucs.peer),
        peersInOurs: within(aucs.peer, aucs.warm),
      };
    }),
  };
}

function print({ cases, ratios, table }, { epochs, imageSize, threads, runs }) {
  const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
  const { library } = runs[0].peer;
  console.log(
    `${cases.train} training, ${cases.validation} validation, ${cases.test} test cases; ${epochs} epochs; ${imageSize} px; ${threads} threads; ours (${runs[0].warm.library}) and ${library}\n`,
  );
  row(['seconds an epoch, seed', ...table.map(({ seed }) => seed), 'ratio (median)', 'aim']);
  row(Array.from({ length: table.length + 3 }, () => '---'));
  const seconds = (name) => table.map((each) => each[name]?.toFixed(1) ?? '');
  row(['ours, first run', ...seconds('first'), ratios.first.toFixed(2), 0.6]);
  row(['PyTorch, first run', ...seconds('peerFirst'), '', '']);
  row(['ours, cache warm', ...seconds('warm'), ratios.warm.toFixed(2), 0.45]);
  row(['PyTorch, images prepared', ...seconds('peerAgain'), '', '']);
  const memory = (side) => runs.map((run) => run[side]?.peakMb.toFixed(0) ?? '');
  row(['ours, peak memory, MB', ...memory('warm'), '', '']);
  row(['PyTorch, peak memory, MB', ...memory('peer'), '', '']);
  const auc = (side) =>
    table.map(
      ({ [side]: { auc: value, low, high } }) =>
        `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
    );
  row(['ours, test AUC [95% CI]', ...auc('ours'), '', '']);
  row(['PyTorch, test AUC [95% CI]', ...auc('peer'), '', '']);
  row([
    "each in the other's interval",
    ...table.map((each) => (each.oursInPeers && each.peersInOurs ? 'yes' : 'no')),
    '',
    '',
  ]);
}
