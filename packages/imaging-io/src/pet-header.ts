import type { DataSet } from './dicom-dataset.js';
import { type Moment, momentOf, momentOfDateTime } from './dicom-time.js';

/** What one PET slice says about activity, dose and times; undefined where it says nothing usable. */
export interface PetHeader {
  readonly units: string | undefined;
  readonly suvType: string | undefined;
  readonly decayCorrection: string | undefined;
  readonly corrections: readonly string[] | undefined;
  readonly weightKg: number | undefined;
  /** Items of the RadiopharmaceuticalInformationSequence. */
  readonly tracers: number;
  readonly doseBq: number | undefined;
  readonly halfLifeSeconds: number | undefined;
  readonly injection: Moment | undefined;
  readonly series: Moment | undefined;
  readonly acquisition: Moment | undefined;
  /** GE's own scan start (0009,100d), which reprocessing leaves alone. */
  readonly geScan: Moment | undefined;
  readonly frameReferenceSeconds: number | undefined;
  readonly frameSeconds: number | undefined;
  /** Philips: counts to SUV (7053,1000), counts to Bq/ml (7053,1009). */
  readonly philipsSuvFactor: number | undefined;
  readonly philipsActivityFactor: number | undefined;
}

/** Reads what `suvFactors` needs from a PET slice. */
export function readPetHeader(data: DataSet): PetHeader {
  const tracers = data.elements.x00540016?.items ?? [];
  const tracer = tracers[0]?.dataSet;
  const offset = data.string('x00080201');
  const milliseconds = (tag: string): number | undefined => {
    const value = finite(data.string(tag));
    return value === undefined ? undefined : value / 1000;
  };
  const philips = (number: string): number | undefined =>
    positive(privateText(data, '7053', 'Philips PET Private Group', number));
  return {
    units: word(data.string('x00541001')),
    suvType: word(data.string('x00541006')),
    decayCorrection: word(data.string('x00541102')),
    corrections: word(data.string('x00280051'))
      ?.split('\\')
      .map((text) => text.trim()),
    weightKg: positive(data.string('x00101030')),
    tracers: tracers.length,
    doseBq: positive(tracer?.string('x00181074')),
    halfLifeSeconds: positive(tracer?.string('x00181075')),
    injection:
      momentOfDateTime(tracer?.string('x00181078'), offset) ??
      momentOf(undefined, tracer?.string('x00181072')),
    series: momentOf(data.string('x00080021'), data.string('x00080031')),
    acquisition:
      momentOf(data.string('x00080022'), data.string('x00080032')) ??
      momentOfDateTime(data.string('x0008002a'), offset),
    geScan: momentOfDateTime(privateText(data, '0009', 'GEMS_PETD_01', '0d'), offset),
    frameReferenceSeconds: milliseconds('x00541300'),
    frameSeconds: milliseconds('x00181242'),
    philipsSuvFactor: philips('00'),
    philipsActivityFactor: philips('09'),
  };
}

/** A private element lies in the block its creator reserved; where no creator is left, in the first block. */
function privateText(data: DataSet, group: string, creator: string, number: string): string | undefined {
  let reserved = false;
  for (let block = 0x10; block <= 0xff; block++) {
    const place = block.toString(16);
    const owner = data.string(`x${group}00${place}`);
    if (owner === undefined) continue;
    reserved = true;
    if (owner.trim() === creator) return data.string(`x${group}${place}${number}`);
  }
  return reserved ? undefined : data.string(`x${group}10${number}`);
}

function finite(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : undefined;
}

/** Scanners write 0 for what they were not told. */
function positive(text: string | undefined): number | undefined {
  const value = finite(text);
  return value !== undefined && value > 0 ? value : undefined;
}

function word(text: string | undefined): string | undefined {
  return text?.trim().toUpperCase() || undefined;
}
