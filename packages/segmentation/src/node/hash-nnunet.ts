import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { SegmentationError } from '../segmentation-error.js';

/** A model's files, to say later which model made a mask. */
export interface NnUnetHash {
  /** sha256 of each file that decides what the model does, by its path from the model's folder. */
  readonly files: Readonly<Record<string, string>>;
  /** sha256 of that list. */
  readonly sha256: string;
}

/** Of dozens of files that nnU-Net leaves, those that `loadNnUnet` reads. */
const DECISIVE =
  /^((dataset|plans|postprocessing)\.json|fold_(\d+|all)\/checkpoint_final\.(pth|safetensors)|crossval_results_folds_[^/]+\/postprocessing\.json)$/;

/**
 * sha256 of the files that `loadNnUnet` reads from a model folder, those of a cascade's stage before included. The model
 * is not loaded.
 * @throws SegmentationError FILE_MISSING
 * @example
 * const { sha256 } = await hashNnUnet('Dataset501_Lesion/nnUNetTrainer__nnUNetPlans__3d_fullres');
 */
export async function hashNnUnet(modelFolder: string): Promise<NnUnetHash> {
  const files: Record<string, string> = {};
  for (let folder: string | undefined = modelFolder; folder; folder = await previousFolder(folder)) {
    for (const name of await decisiveFiles(folder, folder === modelFolder)) {
      const path = join(folder, name);
      files[relative(modelFolder, path).split(sep).join('/')] = await hashFile(path);
    }
  }
  const sha256 = createHash('sha256')
    .update(
      Object.entries(files)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, hash]) => `${hash}  ${name}\n`)
        .join(''),
    )
    .digest('hex');
  return { files, sha256 };
}

async function decisiveFiles(folder: string, required: boolean): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const found = names.map((name) => name.split(sep).join('/')).filter((name) => DECISIVE.test(name));
  if (required && !found.some((name) => name.startsWith('fold_'))) {
    throw new SegmentationError({
      code: 'FILE_MISSING',
      message: `${folder} is no model folder of nnU-Net v2: it has no fold_x/checkpoint_final.pth. Give the folder that holds dataset.json, plans.json and fold_x.`,
    });
  }
  return found.sort();
}

/** Where `loadNnUnet` finds the stage before of a cascade; folder names are trainer__plans__configuration. */
async function previousFolder(folder: string): Promise<string | undefined> {
  const parts = basename(folder).split('__');
  const plans = await readFile(join(folder, 'plans.json'), 'utf8').then(JSON.parse, () => undefined);
  const previous = plans?.configurations?.[parts.at(-1) as string]?.previous_stage;
  if (typeof previous !== 'string') return undefined;
  return join(dirname(folder), [...parts.slice(0, -1), previous].join('__'));
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path)) hash.update(block);
  return hash.digest('hex');
}
