import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type PickleValue, readTorchCheckpoint, type WeightTensor } from '@onco-response/weights';
import { buildNetwork } from '../build-network.js';
import { parseDataset } from '../dataset-labels.js';
import type { SegmentationNetwork } from '../network.js';
import { type NetworkCheckpoint, readNetworkCheckpoint } from '../network-checkpoint.js';
import { parsePlans, resolveConfiguration } from '../plans.js';
import { type KeepLargest, parsePostprocessing } from '../postprocessing.js';
import { SegmentationError } from '../segmentation-error.js';
import { Segmenter } from '../segmenter.js';

export interface LoadNnUnetOptions {
  /** Which `fold_x` are averaged. Default: every numbered one that is there, or else `fold_all`. */
  folds?: readonly (number | 'all')[];
  /** Default 'checkpoint_final.pth', or where no fold has it 'checkpoint_final.safetensors', which is what is trained here. */
  checkpoint?: string;
  /**
   * For a cascade: the folder of the stage before. Default: the folder beside this one that nnU-Net gives to that
   * configuration, where it exists.
   */
  previousStage?: string;
  /**
   * Apply the postprocessing that `nnUNetv2_find_best_configuration` found: a file postprocessing.json in the model's
   * folder, or in its `crossval_results_folds_*` of the same folds. Default true. `nnUNetv2_predict` itself never does.
   */
  postprocessing?: boolean;
}

/**
 * Loads a model folder of nnU-Net v2 as it leaves it: dataset.json, plans.json and fold_x/checkpoint_final.pth. The
 * checkpoints are read as data: nothing in them is ever run. A tensor backend has to be running (`startEngine`).
 *
 * @throws SegmentationError FILE_MISSING, INVALID_PLANS, INVALID_DATASET, UNSUPPORTED, WEIGHTS_MISMATCH; WeightsError of
 * `readTorchCheckpoint`
 * @example
 * const segmenter = await loadNnUnet('Dataset501_Lesion/nnUNetTrainer__nnUNetPlans__3d_fullres', { folds: [0] });
 * const mask = await segmenter.segment([volume]);
 */
export async function loadNnUnet(modelFolder: string, options: LoadNnUnetOptions = {}): Promise<Segmenter> {
  const { postprocessing: wanted = true } = options;
  const file = options.checkpoint ?? (await usualCheckpoint(modelFolder));
  const dataset = parseDataset(await readJson(join(modelFolder, 'dataset.json')));
  const plans = parsePlans(await readJson(join(modelFolder, 'plans.json')));
  const folds = options.folds ?? (await foldsIn(modelFolder, file));
  if (folds.length === 0) {
    throw new SegmentationError({
      code: 'INVALID_ARGUMENT',
      message: 'folds has to name at least one fold.',
    });
  }
  const networks: SegmentationNetwork[] = [];
  try {
    const [first] = folds as [number | 'all'];
    const model = await readCheckpoint(join(modelFolder, `fold_${first}`, file));
    const configuration = resolveConfiguration(plans, model.configuration);
    const build = (state: ReadonlyMap<string, WeightTensor>): SegmentationNetwork =>
      buildNetwork(configuration, dataset, state);
    networks.push(build(model.weights));
    for (const fold of folds.slice(1)) {
      networks.push(build((await readCheckpoint(join(modelFolder, `fold_${fold}`, file))).weights));
    }
    const steps = wanted ? await findPostprocessing(modelFolder, folds) : undefined;
    const previous = await loadPrevious(modelFolder, configuration.previous_stage ?? undefined, options);
    return new Segmenter({
      plans,
      configuration,
      dataset,
      networks,
      mirrorAxes: model.mirrorAxes,
      previous,
      postprocessing: steps?.steps ?? [],
      description: {
        model: modelFolder,
        configuration: model.configuration,
        network: configuration.architecture?.network_class_name ?? configuration.UNet_class_name ?? null,
        trainer: model.trainer,
        plans: plans.plans_name,
        folds,
        checkpoint: file,
        mirrorAxes: model.mirrorAxes,
        postprocessing: steps ?? null,
        previousStage: previous?.description ?? null,
      },
    });
  } catch (error) {
    for (const network of networks) network.dispose();
    throw error;
  }
}

const PREFIX = 'network_weights.';

async function readCheckpoint(path: string): Promise<NetworkCheckpoint> {
  const bytes = await read(path);
  if (path.endsWith('.safetensors')) return readNetworkCheckpoint(bytes, path);
  const { tensors, value } = readTorchCheckpoint(bytes);
  const entry = (map: PickleValue | undefined, key: string): PickleValue | undefined =>
    map instanceof Map ? map.get(key) : undefined;
  const configuration = entry(entry(value, 'init_args'), 'configuration');
  const weights = new Map<string, WeightTensor>();
  for (const [name, tensor] of tensors) {
    // a network that torch.compile wrapped has its names under _orig_mod
    if (name.startsWith(PREFIX)) weights.set(name.slice(PREFIX.length).replace(/^_orig_mod\./, ''), tensor);
  }
  if (typeof configuration !== 'string' || weights.size === 0) {
    throw new SegmentationError({
      code: 'UNSUPPORTED',
      message: `${path} is no checkpoint of nnU-Net v2: it lacks ${weights.size === 0 ? 'network_weights' : 'init_args.configuration'}.`,
    });
  }
  const axes = entry(value, 'inference_allowed_mirroring_axes');
  return {
    weights,
    configuration,
    trainer: String(entry(value, 'trainer_name')),
    mirrorAxes: Array.isArray(axes) ? axes.map(Number) : [],
  };
}

/** nnU-Net's own file name, or ours where only that is there. */
async function usualCheckpoint(folder: string): Promise<string> {
  const [torch, ours] = ['checkpoint_final.pth', 'checkpoint_final.safetensors'];
  const names = await readdir(folder).catch(() => []);
  const folds = names.filter((name) => /^fold_(\d+|all)$/.test(name));
  const has = async (file: string): Promise<boolean> =>
    (await Promise.all(folds.map((fold) => exists(join(folder, fold, file))))).includes(true);
  return !(await has(torch)) && (await has(ours)) ? ours : torch;
}

/** The folds that nnU-Net would find: numbered ones, or fold_all where there is no other. */
async function foldsIn(folder: string, file: string): Promise<(number | 'all')[]> {
  const found: number[] = [];
  let all = false;
  for (const name of await readdir(folder)) {
    if (!/^fold_(\d+|all)$/.test(name) || !(await exists(join(folder, name, file)))) continue;
    if (name === 'fold_all') all = true;
    else found.push(Number(name.slice('fold_'.length)));
  }
  if (found.length > 0) return found.sort((a, b) => a - b);
  if (all) return ['all'];
  throw new SegmentationError({
    code: 'FILE_MISSING',
    message: `${folder} has no fold_0 ... or fold_all with a ${file} in it.`,
  });
}

async function loadPrevious(
  folder: string,
  stage: string | undefined,
  { previousStage, postprocessing: _postprocessing, folds: _folds, ...rest }: LoadNnUnetOptions,
): Promise<Segmenter | undefined> {
  if (stage === undefined) return undefined;
  const name = [...basename(folder).split('__').slice(0, -1), stage].join('__'); // trainer__plans__configuration
  const path = previousStage ?? join(dirname(folder), name);
  if (previousStage === undefined && !(await exists(path))) return undefined;
  // as nnU-Net, which hands on what the stage before predicts and never what postprocessing makes of it
  return loadNnUnet(path, { ...rest, postprocessing: false });
}

async function findPostprocessing(
  folder: string,
  folds: readonly (number | 'all')[],
): Promise<{ file: string; steps: KeepLargest[] } | undefined> {
  const ofFolds = `crossval_results_folds_${folds.join('_')}`;
  for (const path of [join(folder, 'postprocessing'), join(folder, ofFolds, 'postprocessing')]) {
    const file = `${path}.json`;
    if (await exists(file)) return { file, steps: parsePostprocessing(await readJson(file)) };
    if (await exists(`${path}.pkl`)) {
      throw new SegmentationError({
        code: 'UNSUPPORTED',
        message: `${path}.pkl lies without the postprocessing.json that nnU-Net writes beside it: copy that too, or load with postprocessing: false.`,
      });
    }
  }
  return undefined;
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await read(path);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new SegmentationError({
      code: 'INVALID_PLANS',
      message: `${path} is no JSON: fetch it again.`,
      cause,
    });
  }
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SegmentationError({
      code: 'FILE_MISSING',
      message: `${path} cannot be read: a model folder of nnU-Net v2 has dataset.json, plans.json and fold_x/checkpoint_final.pth.`,
      cause,
    });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
