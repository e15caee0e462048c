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
import { maskOutLesion } from './mask-out-lesion.js';
import type { Study } from './study.js';
import { TrainError } from './train-error.js';
import { writeOutput } from './write-output.js';

/** What is kept of a case beside its tokens. */
export interface CaseFacts {
  /** Names the case's tokens in the cache. */
  key: string;
  /** A hash of image and mask. */
  content: string;
  sliceIndices: number[];
  lesionVolumeMm3: number;
  warnings: string[];
}

export interface CaseTokensOptions {
  folder: string;
  /** How tokens are stored. */
  precision: Study['cachePrecision'];
  /** Replace each lesion by what lies around it. Default false. */
  withoutLesion?: boolean;
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
  readonly #withoutLesion: boolean;
  readonly #engine: EngineInfo;

  constructor({ folder, precision, withoutLesion = false, engine }: CaseTokensOptions) {
    this.#folder = folder;
    this.#precision = precision;
    this.#withoutLesion = withoutLesion;
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
    return this.readKept(this.facts(caseId).key, caseId);
  }

  /** A case's image, as the encoder is to see it, and its lesion mask. */
  load(each: CohortCase): Promise<{ volume: Volume; lesion: Mask }> {
    return readCase(each, { withoutLesion: this.#withoutLesion });
  }

  /**
   * Computes what is kept under a key, unless it is there; returns the facts beside the tokens.
   * @param key a sha256
   */
  async keep<Facts>(
    key: string,
    compute: () => Promise<{ tokens: PrefixTokens; facts: Facts }>,
  ): Promise<Facts> {
    const factsPath = join(this.#folder, 'facts', `${key}.json`);
    if (existsSync(factsPath) && (await this.#cache.get(key))) {
      return JSON.parse(await readFile(factsPath, 'utf8'));
    }
    const { tokens, facts } = await compute();
    await this.#cache.put(key, tokens.data, tokens.shape);
    await writeOutput(factsPath, `${JSON.stringify(facts)}\n`);
    return facts;
  }

  /** Tokens that `keep` computed, of `caseId`. @throws TrainError MISSING_FILE */
  async readKept(key: string, caseId: string): Promise<PrefixTokens> {
    const entry = await this.#cache.get(key);
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
    const content = [await contentHash(image), await contentHash(mask)];
    const key = createHash('sha256')
      .update(
        JSON.stringify([
          FORMAT,
          this.#precision,
          this.#engine.library,
          this.#engine.threads,
          this.#engine.deviceName,
          this.#engine.tf32,
          ...content,
          model.recipe.input,
          model.vit.preprocessing,
          model.vit.weightsSha256,
          model.vit.config,
          model.vit.usesClassToken,
          model.frozenBlocks,
          ...(this.#withoutLesion ? ['lesion-masked-out-1'] : []),
        ]),
      )
      .digest('hex');
    const facts = await this.keep(key, async () => {
      const { volume, lesion } = await this.load(each);
      const slices = await nameMask(mask, () => model.slices(volume, lesion));
      const { sliceIndices, lesionVolumeMm3, warnings } = slices;
      return { tokens: await model.prefixTokens(slices), facts: { sliceIndices, lesionVolumeMm3, warnings } };
    });
    return { key, content: content.join(), ...facts };
  }
}

/** A case's image, its lesion replaced by what lies around it where that is asked for, and its lesion mask on the image's grid. */
export async function readCase(
  each: CohortCase,
  { withoutLesion = false }: Partial<Pick<CaseTokensOptions, 'withoutLesion'>> = {},
): Promise<{ volume: Volume; lesion: Mask }> {
  const { image, mask } = requireMask(each);
  const volume = await readVolume(image);
  const lesion = await readMask(mask, { like: volume });
  return { volume: withoutLesion ? maskOutLesion(volume, lesion) : volume, lesion };
}

function requireMask({ image, mask, caseId, line }: CohortCase): { image: string; mask: string } {
  if (mask !== null) return { image, mask };
  throw new TrainError({
    code: 'MISSING_FILE',
    message: `line ${line} of the manifest (${caseId}) has no mask: give one, or let onco-train plan derive it (segmentation: in the study)`,
  });
}
