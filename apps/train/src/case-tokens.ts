import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CohortCase } from '@onco-response/cohort';
import { Progress } from '@onco-response/command-line/node';
import { PrefixCache } from '@onco-response/encoder/node';
import type { EngineInfo } from '@onco-response/engine';
import { readMask, readVolume } from '@onco-response/imaging-io/node';
import { nameMask } from '@onco-response/lesion-mask';
import type { PrefixTokens, ResponseModel } from '@onco-response/response-model';
import type { Mask, Volume } from '@onco-response/volume';
import { contentHash } from './content-hash.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** What is kept of a case beside its tokens. */
export interface CaseFacts {
  /** Names the case's tokens in the cache. */
  key: string;
  sliceIndices: number[];
  lesionVolumeMm3: number;
  warnings: string[];
}

export interface CaseTokensOptions {
  folder: string;
  /** How tokens are stored. */
  precision: Study['cachePrecision'];
  /** What computes them. */
  engine: EngineInfo;
}

/** Changes whenever the same input would give other tokens. */
const FORMAT = 'prefix-tokens-3';

/**
 * The slices of every case after the encoder's frozen blocks, computed once and kept on disk by content: the key is a
 * hash of the files' bytes, the input recipe, the encoder's weights and configuration, the number of frozen blocks, the precision on disk,
 * and the library and thread count, on which the last bits depend: what an earlier study left in the cache never changes
 * a result. One case is in memory at a time, however large the cohort.
 */
export class CaseTokens {
  readonly #cache: PrefixCache;
  readonly #folder: string;
  readonly #facts = new Map<string, CaseFacts>();

  readonly #precision: Study['cachePrecision'];
  readonly #engine: EngineInfo;

  constructor({ folder, precision, engine }: CaseTokensOptions) {
    this.#folder = folder;
    this.#precision = precision;
    this.#engine = engine;
    this.#cache = new PrefixCache({ directory: join(folder, 'tokens'), precision });
  }

  /** Fills the cache for all cases that it does not hold; stops between two cases when `interrupted` says so. */
  async prepare(
    cases: readonly CohortCase[],
    model: ResponseModel,
    interrupted: () => boolean,
  ): Promise<void> {
    await mkdir(join(this.#folder, 'facts'), { recursive: true });
    const progress = new Progress('slices through the frozen blocks', cases.length);
    try {
      for (const each of cases) {
        if (interrupted()) {
          throw new TrainError({
            code: 'INTERRUPTED',
            message: 'stopped; the same command goes on from here',
          });
        }
        this.#facts.set(each.caseId, await this.#prepareCase(each, model));
        progress.advance();
      }
    } finally {
      progress.stop();
    }
  }

  facts(caseId: string): CaseFacts {
    const facts = this.#facts.get(caseId);
    if (!facts) throw new Error(`${caseId} was not prepared`);
    return facts;
  }

  /** @throws TrainError MISSING_FILE when the cache was emptied or damaged under a running study */
  async read(caseId: string): Promise<PrefixTokens> {
    const entry = await this.#cache.get(this.facts(caseId).key);
    if (!entry) {
      throw new TrainError({
        code: 'MISSING_FILE',
        message: `the cached tokens of ${caseId} in ${this.#folder} are gone or damaged; run the same command again`,
      });
    }
    return { data: entry.data, shape: entry.shape as [number, number, number] };
  }

  async #prepareCase(each: CohortCase, model: ResponseModel): Promise<CaseFacts> {
    const { image, mask } = requireMask(each);
    const key = createHash('sha256')
      .update(
        JSON.stringify([
          FORMAT,
          this.#precision,
          this.#engine.library,
          this.#engine.threads,
          this.#engine.deviceName,
          this.#engine.tf32,
          await contentHash(image),
          await contentHash(mask),
          model.recipe.input,
          model.vit.preprocessing,
          model.vit.weightsSha256,
          model.vit.config,
          model.vit.usesClassToken,
          model.frozenBlocks,
        ]),
      )
      .digest('hex');
    const factsPath = join(this.#folder, 'facts', `${key}.json`);
    if (existsSync(factsPath) && (await this.#cache.get(key))) {
      return { key, ...JSON.parse(await readFile(factsPath, 'utf8')) };
    }
    const { volume, lesion } = await readCase(each);
    const slices = await nameMask(mask, () => model.slices(volume, lesion));
    const { data, shape } = await model.prefixTokens(slices);
    await this.#cache.put(key, data, shape);
    const { sliceIndices, lesionVolumeMm3, warnings } = slices;
    await writeOutput(factsPath, `${JSON.stringify({ sliceIndices, lesionVolumeMm3, warnings })}\n`);
    return { key, sliceIndices, lesionVolumeMm3, warnings };
  }
}

/** A case's image and its lesion mask on the image's grid. */
export async function readCase(each: CohortCase): Promise<{ volume: Volume; lesion: Mask }> {
  const { image, mask } = requireMask(each);
  const volume = await readVolume(image);
  return { volume, lesion: await readMask(mask, { like: volume }) };
}

function requireMask({ image, mask, caseId, line }: CohortCase): { image: string; mask: string } {
  if (mask !== null) return { image, mask };
  throw new TrainError({
    code: 'MISSING_FILE',
    message: `line ${line} of the manifest (${caseId}) has no mask: give one, this version does not segment`,
  });
}
