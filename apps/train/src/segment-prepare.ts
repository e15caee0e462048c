import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '@onco-response/command-line/node';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import {
  type CaseFingerprint,
  caseFingerprint,
  datasetFingerprint,
  type NnUnetConfiguration,
  type NnUnetDataset,
  type NnUnetPlans,
  parseDataset,
  planExperiment,
  prepareTrainingCase,
  resolveConfiguration,
  type TrainingCase,
  type TrainingCases,
} from '@onco-response/segmentation';
import type { Mask, Volume } from '@onco-response/volume';
import { readSafetensors, toFloat32, writeSafetensors } from '@onco-response/weights';
import type { SegmentCase } from './segment-cohort.js';
import type { SegmentStudy } from './segment-study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** The images and the mask of a case, on one grid. */
export async function readSegmentCase({
  images,
  mask,
}: SegmentCase): Promise<{ volumes: Volume[]; mask: Mask }> {
  const volumes = await Promise.all(images.map((path) => readVolume(path)));
  return { volumes, mask: await readMask(mask, { like: volumes[0] as Volume }) };
}

export interface SegmentPlans {
  readonly dataset: NnUnetDataset;
  readonly plans: NnUnetPlans;
  readonly configuration: NnUnetConfiguration;
  /** Of plans and cohort: what prepared cases depend on. */
  readonly sha256: string;
}

/**
 * Measures the training and validation cases (never the test cases) and plans the network. What was measured is kept in
 * `fingerprint.json`, and used again for the same cohort and seed.
 */
export async function planSegmentation(
  out: string,
  study: SegmentStudy,
  cases: readonly SegmentCase[],
  cohortSha256: string,
  interrupted: () => boolean,
): Promise<SegmentPlans> {
  const seen = cases.filter(({ split }) => split !== 'test');
  const dataset = parseDataset({
    name: study.name,
    channel_names: Object.fromEntries(study.channels.map(({ name }, index) => [index, name])),
    labels: { background: 0, ...study.labels },
    numTraining: seen.length,
    file_ending: '.nii.gz',
  });
  const key = sha256([cohortSha256, study.channels, seen.map(({ caseId, split }) => [caseId, split])]);
  const path = join(out, 'fingerprint.json');
  const kept = existsSync(path)
    ? (JSON.parse(await readFile(path, 'utf8')) as { key: string; cases: CaseFingerprint[] })
    : undefined;
  const measured = kept?.key === key ? kept.cases : await measure(seen, interrupted);
  if (kept?.key !== key) await writeOutput(path, JSON.stringify({ key, cases: measured }));
  const { configuration: name, ...options } = study.plan;
  const plans = planExperiment(datasetFingerprint(measured), dataset, {
    datasetName: study.name,
    ...definedOnly(options),
  });
  if (!Object.hasOwn(plans.configurations, name)) {
    throw new TrainError({
      code: 'INVALID_STUDY',
      message: `plan.configuration is ${name}, and nnU-Net's rules make ${Object.keys(plans.configurations).join(', ')} of these images: choose one of them`,
    });
  }
  const configuration = resolveConfiguration(plans, name);
  return { dataset, plans, configuration, sha256: sha256([cohortSha256, plans, study.labels]) };
}

async function measure(
  cases: readonly SegmentCase[],
  interrupted: () => boolean,
): Promise<CaseFingerprint[]> {
  const progress = new Progress('measuring cases', cases.length);
  const measured: CaseFingerprint[] = [];
  for (const each of cases) {
    if (interrupted()) stop('while cases were measured');
    const { volumes, mask } = await named(each, () => readSegmentCase(each));
    measured.push(await named(each, async () => caseFingerprint(volumes, mask)));
    progress.advance();
  }
  progress.stop();
  return measured;
}

/**
 * Prepares cases once, as `preprocessed/HASH/case-0001.safetensors`, and loads them from there; the latest stay in memory.
 */
export async function prepareCases(
  out: string,
  cases: readonly SegmentCase[],
  { dataset, plans, configuration, sha256: hash }: SegmentPlans,
  cacheBytes: number,
  interrupted: () => boolean,
): Promise<TrainingCases & { folder: string }> {
  const folder = join(out, 'preprocessed', hash.slice(0, 16));
  const pathOf = ({ caseId }: SegmentCase): string => join(folder, `${caseId}.safetensors`);
  const missing = cases.filter((each) => !existsSync(pathOf(each)));
  const progress = new Progress('preparing cases', missing.length);
  for (const each of missing) {
    if (interrupted()) stop('while cases were prepared');
    const { volumes, mask } = await named(each, () => readSegmentCase(each));
    const prepared = await named(each, async () =>
      prepareTrainingCase(volumes, mask, plans, configuration, dataset),
    );
    await writeOutput(pathOf(each), packCase(prepared));
    progress.advance();
  }
  progress.stop();
  const kept = new Map<number, TrainingCase>();
  let bytes = 0;
  return {
    folder,
    count: cases.length,
    async load(index) {
      const found = kept.get(index) ?? unpackCase(await readFile(pathOf(cases[index] as SegmentCase)));
      if (kept.delete(index)) bytes -= sizeOf(found);
      kept.set(index, found); // the last used last
      bytes += sizeOf(found);
      for (const [oldest, each] of kept) {
        if (bytes <= cacheBytes || oldest === index) break;
        kept.delete(oldest);
        bytes -= sizeOf(each);
      }
      return found;
    },
  };
}

function packCase({ shape, channels, labels }: TrainingCase): Uint8Array {
  const image = new Float32Array(channels.length * labels.length);
  for (const [index, channel] of channels.entries()) image.set(channel, index * labels.length);
  return writeSafetensors(
    new Map([
      ['image', { dtype: 'F32' as const, shape: [channels.length, ...shape], data: image }],
      ['labels', { dtype: 'U8' as const, shape: [...shape], data: labels }],
    ]),
  );
}

function unpackCase(bytes: Uint8Array): TrainingCase {
  const { tensors } = readSafetensors(bytes);
  const [image, labels] = [tensors.get('image'), tensors.get('labels')];
  if (!image || !labels)
    throw new TrainError({
      code: 'MISSING_FILE',
      message: 'a prepared case is damaged: remove the folder preprocessed',
    });
  const values = toFloat32(image);
  const voxels = labels.data.length;
  return {
    shape: labels.shape as unknown as TrainingCase['shape'],
    channels: Array.from({ length: image.shape[0] as number }, (_, channel) =>
      values.slice(channel * voxels, (channel + 1) * voxels),
    ),
    labels: Uint8Array.from(labels.data as Uint8Array),
  };
}

const sizeOf = ({ channels, labels }: TrainingCase): number => labels.length * (4 * channels.length + 1);

/** The error of one case, with its name in front: no file of a patient is in it. */
async function named<T>({ caseId }: SegmentCase, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) error.message = `${caseId}: ${error.message}`;
    throw error;
  }
}

export function stop(where: string): never {
  throw new TrainError({
    code: 'INTERRUPTED',
    message: `stopped ${where}; the same command goes on from there`,
  });
}

export const sha256 = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Without keys that are undefined, as exact optional properties want them. */
function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;
}
