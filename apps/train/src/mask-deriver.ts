import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineInfo } from '@onco-response/engine';
import { readVolume, writeVolume } from '@onco-response/imaging-io/node';
import {
  deriveMask,
  LesionMaskError,
  type MaskFlag,
  type MaskSegmenter,
  type MaskStep,
} from '@onco-response/lesion-mask';
import { hashNnUnet, loadNnUnet, type NnUnetHash } from '@onco-response/segmentation/node';
import { contentHash } from './content-hash.js';
import type { SegmentationSettings } from './segmentation-settings.js';
import { writeOutput } from './write-output.js';

/** What is known of a mask that was derived, or of there being none. */
export interface MaskFacts {
  outcome: 'DERIVED' | 'NO_LESION';
  /** Why no lesion was found. */
  message: string | null;
  /** Labels of the model that were taken for lesion; null where no mask came about and none was named. */
  labels: readonly number[] | null;
  lesionVolumeMm3: number;
  components: number;
  /** The network's mean probability inside; null where it was not kept. */
  confidence: number | null;
  /** What was done to the network's mask, with voxels before and after. */
  steps: readonly MaskStep[];
  /** What a person should look at. */
  flags: readonly MaskFlag[];
  warnings: readonly string[];
}

/** Changes whenever the same input would give another mask. */
const FORMAT = 'derived-mask-1';

/**
 * Derives lesion masks with an nnU-Net v2 model and keeps them on disk by content: the key is a hash of the image's bytes,
 * the model's files, labels, cleaning, and the library and thread count, on which the last bits depend. The model is loaded
 * when the first mask is needed that is not there.
 */
export class MaskDeriver {
  readonly hash: NnUnetHash;
  readonly #folder: string;
  readonly #model: string;
  readonly #settings: SegmentationSettings;
  readonly #engine: EngineInfo;
  #segmenter: (MaskSegmenter & { dispose(): void }) | undefined;

  private constructor(
    hash: NnUnetHash,
    { folder, model, settings, engine }: Parameters<typeof MaskDeriver.open>[0],
  ) {
    this.hash = hash;
    this.#folder = folder;
    this.#model = model;
    this.#settings = settings;
    this.#engine = engine;
  }

  /**
   * @param options.folder where masks are kept
   * @param options.model the model's folder
   * @throws SegmentationError FILE_MISSING
   */
  static async open(options: {
    folder: string;
    model: string;
    settings: SegmentationSettings;
    engine: EngineInfo;
  }): Promise<MaskDeriver> {
    const hash = await hashNnUnet(options.model);
    await mkdir(options.folder, { recursive: true });
    return new MaskDeriver(hash, options);
  }

  /** The facts, and where the mask lies if there is one. */
  async derive(image: string): Promise<{ facts: MaskFacts; path: string | null }> {
    const { labels, cleaning } = this.#settings;
    const { library, threads, deviceName, tf32 } = this.#engine;
    const decisive = [FORMAT, await contentHash(image), this.hash.sha256, labels, cleaning];
    const key = createHash('sha256')
      .update(JSON.stringify([...decisive, library, threads, deviceName, tf32]))
      .digest('hex');
    const path = join(this.#folder, `${key}.nii.gz`);
    const factsPath = join(this.#folder, `${key}.json`);
    const known: MaskFacts | undefined = existsSync(factsPath)
      ? JSON.parse(await readFile(factsPath, 'utf8'))
      : undefined;
    if (known?.outcome === 'NO_LESION') return { facts: known, path: null };
    if (known && existsSync(path)) return { facts: known, path };
    // the facts come last: where they are, the mask is complete
    const facts = await this.#compute(image, path);
    await writeOutput(factsPath, `${JSON.stringify(facts)}\n`);
    return { facts, path: facts.outcome === 'DERIVED' ? path : null };
  }

  dispose(): void {
    this.#segmenter?.dispose();
    this.#segmenter = undefined;
  }

  async #compute(image: string, path: string): Promise<MaskFacts> {
    this.#segmenter ??= await loadNnUnet(this.#model);
    const volume = await readVolume(image);
    const { labels, cleaning } = this.#settings;
    try {
      const found = await deriveMask([volume], this.#segmenter, { labels, cleaning });
      await writeVolume(path, found.mask);
      const { volumeMm3: lesionVolumeMm3, components, confidence, flags } = found.quality;
      const { steps, warnings } = found;
      return {
        outcome: 'DERIVED',
        message: null,
        labels: found.labels,
        lesionVolumeMm3,
        components,
        confidence,
        steps,
        flags,
        warnings,
      };
    } catch (error) {
      if (!LesionMaskError.isInstance(error) || error.code !== 'NO_LESION') throw error;
      const { message, steps } = error;
      const nothing = { lesionVolumeMm3: 0, components: 0, confidence: null, flags: [], warnings: [] };
      return { outcome: 'NO_LESION', message, labels, steps, ...nothing };
    }
  }
}
