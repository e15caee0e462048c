import type { DicomFile } from './dicom-slice.js';
import { type Moment, secondsBetween } from './dicom-time.js';
import { ImagingError, type ImagingErrorCode } from './imaging-error.js';
import type { PetHeader } from './pet-header.js';

/** A dose below this is given in MBq by mistake: 370 MBq would be 370 Bq, and every SUV a million times too high. */
const LOWEST_DOSE_BQ = 1e4;

/** After six half-lives 1.6 % is left and nobody scans: one of the times is wrong. */
const MAX_HALF_LIVES = 6;

/** Tracers that live longer are scanned days later, so a time without its date says nothing (64Cu: 12.7 h). */
const MAX_UNDATED_HALF_LIFE_SECONDS = 12 * 3600;

/**
 * What each slice's values (after its own slope) have to be multiplied with to be SUV by body weight, g/ml:
 * `weight [g] / dose [Bq] x 2^(delay / half-life)` for values in Bq/ml that were decay-corrected to the scan's start
 * (DecayCorrection START; delay from injection to that start), and without the power for ADMIN, where they were
 * corrected to the injection. Philips' counts go by its private factors; values in GML are SUV already.
 * Follows QIBA's vendor-neutral pseudo-code for SUVbw.
 * @param files the slices' files, in the order the factors are wanted
 * @throws ImagingError MISSING_ATTRIBUTE naming every attribute that is missing, UNSUPPORTED where values cannot become
 * SUV, MALFORMED where dose or times cannot be right
 */
export function suvFactors(
  files: readonly DicomFile[],
  name: string,
): { factors: number[]; warnings: string[] } {
  const headers = files.map(({ pet }) => {
    if (pet === undefined) fail('UNSUPPORTED', `${name} is no PET (modality PT): SUV is a unit of PET`);
    return pet;
  });
  const header = headers[0]!;
  refuseDisagreement(headers, name);
  if (header.units === undefined) refuseMissing(['Units (0054,1001)'], name);
  if (header.units === 'GML') {
    if (header.suvType !== undefined && header.suvType !== 'BW') {
      fail('UNSUPPORTED', `${name} holds SUV of type ${header.suvType}, not by body weight`);
    }
    return { factors: headers.map(() => 1), warnings: [] };
  }
  if (header.units === 'CNTS') {
    if (headers.every((each) => each.philipsSuvFactor !== undefined)) {
      return { factors: headers.map((each) => each.philipsSuvFactor!), warnings: [] };
    }
    if (headers.some((each) => each.philipsActivityFactor === undefined)) {
      refuseMissing(
        ['Philips SUV factor (7053,1000) or activity factor (7053,1009), needed as Units are CNTS'],
        name,
      );
    }
  } else if (header.units !== 'BQML') {
    fail('UNSUPPORTED', `${name} has Units ${header.units}; SUV is made from BQML, CNTS (Philips) and GML`);
  }
  const { factor, warnings } = factorOfActivity(headers, name);
  const activity = (each: PetHeader): number => (header.units === 'CNTS' ? each.philipsActivityFactor! : 1);
  return { factors: headers.map((each) => factor * activity(each)), warnings };
}

/** From Bq/ml to g/ml. */
function factorOfActivity(
  headers: readonly PetHeader[],
  name: string,
): { factor: number; warnings: string[] } {
  const { weightKg, doseBq, halfLifeSeconds, injection, decayCorrection, corrections, tracers } = headers[0]!;
  const warnings: string[] = [];
  for (const needed of ['ATTN', 'DECY']) {
    if (corrections?.includes(needed) === false) {
      fail('UNSUPPORTED', `${name} is not corrected for ${needed} (CorrectedImage): it has no SUV`);
    }
  }
  if (corrections === undefined) {
    warnings.push(
      `${name} does not say how it was corrected (CorrectedImage): taken as attenuation-corrected`,
    );
  }
  if (tracers > 1) fail('UNSUPPORTED', `${name} has ${tracers} tracers; SUV needs one`);
  if (decayCorrection !== undefined && decayCorrection !== 'START' && decayCorrection !== 'ADMIN') {
    fail('UNSUPPORTED', `${name} has DecayCorrection ${decayCorrection}; START and ADMIN are read`);
  }
  const toStart = decayCorrection !== 'ADMIN';
  const scan = toStart ? scanStart(headers, name) : undefined;
  const missing = [
    [weightKg, 'PatientWeight (0010,1030)'],
    [doseBq, 'RadionuclideTotalDose (0018,1074)'],
    [decayCorrection, 'DecayCorrection (0054,1102)'],
    ...(toStart
      ? [
          [halfLifeSeconds, 'RadionuclideHalfLife (0018,1075)'],
          [
            injection,
            'RadiopharmaceuticalStartDateTime (0018,1078) or RadiopharmaceuticalStartTime (0018,1072)',
          ],
          [scan, 'SeriesTime (0008,0031) or AcquisitionTime (0008,0032)'],
        ]
      : []),
  ].flatMap(([value, attribute]) => (value === undefined ? [String(attribute)] : []));
  if (missing.length > 0) refuseMissing(missing, name);
  if (doseBq! < LOWEST_DOSE_BQ) {
    fail('MALFORMED', `${name} has RadionuclideTotalDose ${doseBq}; it has to be in Bq, not MBq`);
  }
  const atInjection = (weightKg! * 1000) / doseBq!;
  if (!toStart) return { factor: atInjection, warnings };
  const delay = delayOf(injection!, scan!.moment, halfLifeSeconds!, name);
  return {
    factor: atInjection * 2 ** (delay / halfLifeSeconds!),
    warnings: [...warnings, ...scan!.warnings],
  };
}

/**
 * The moment START refers to: SeriesTime, unless reprocessing moved it behind the first acquisition. Then GE's own scan
 * time; else the frame's reference time counted back (Siemens); else the first acquisition.
 */
function scanStart(
  headers: readonly PetHeader[],
  name: string,
): { moment: Moment; warnings: string[] } | undefined {
  const earliest = headers.reduce((first, each) =>
    (each.acquisition?.seconds ?? Infinity) < (first.acquisition?.seconds ?? Infinity) ? each : first,
  );
  const { series, acquisition, geScan, frameReferenceSeconds, frameSeconds, halfLifeSeconds } = earliest;
  if (acquisition === undefined || series === undefined) {
    const moment = geScan ?? series ?? acquisition;
    const what = geScan ? "GE's own scan time" : series ? 'SeriesTime' : 'AcquisitionTime';
    return moment && { moment, warnings: [`${name}: ${what} alone says when the scan started`] };
  }
  // seconds since midnight where either date is missing; a scan over midnight has both dates
  const bothDated = series.dated && acquisition.dated;
  const behind = bothDated
    ? series.seconds - acquisition.seconds
    : (series.seconds % 86_400) - (acquisition.seconds % 86_400);
  if (behind <= 0) return { moment: series, warnings: [] };
  const later = `${name}: SeriesTime lies behind the first AcquisitionTime (reprocessed)`;
  if (geScan) return { moment: geScan, warnings: [`${later}: GE's own scan time is used`] };
  if (frameReferenceSeconds !== undefined && frameSeconds && halfLifeSeconds) {
    // the reference time of a frame is when its count rate was average, counted from the scan's start
    const decay = (Math.LN2 / halfLifeSeconds) * frameSeconds;
    const average = (frameSeconds / decay) * Math.log(decay / -Math.expm1(-decay));
    const seconds = acquisition.seconds + average - frameReferenceSeconds;
    return {
      moment: { seconds, dated: acquisition.dated },
      warnings: [`${later}: the start is counted back from FrameReferenceTime`],
    };
  }
  return { moment: acquisition, warnings: [`${later}: the first AcquisitionTime is used`] };
}

function delayOf(injection: Moment, scan: Moment, halfLifeSeconds: number, name: string): number {
  const dated = injection.dated && scan.dated;
  if (!dated && halfLifeSeconds > MAX_UNDATED_HALF_LIFE_SECONDS) {
    const missing = injection.dated
      ? 'SeriesDate (0008,0021) or AcquisitionDate (0008,0022)'
      : 'RadiopharmaceuticalStartDateTime (0018,1078)';
    refuseMissing([`${missing}, needed as the tracer lives for days`], name);
  }
  const delay = secondsBetween(injection, scan);
  if (delay >= 0 && delay <= MAX_HALF_LIVES * halfLifeSeconds) return delay;
  return fail(
    'MALFORMED',
    `${name}: the scan starts ${(delay / 60).toFixed(0)} minutes after the injection, which cannot be right for a half-life of ${(halfLifeSeconds / 60).toFixed(0)} minutes: correct the times in the header`,
  );
}

/** All slices are of one injection; only Philips' factors and times may differ. */
function refuseDisagreement(headers: readonly PetHeader[], name: string): void {
  const first = headers[0]!;
  const names = {
    units: 'Units',
    decayCorrection: 'DecayCorrection',
    weightKg: 'PatientWeight',
    doseBq: 'RadionuclideTotalDose',
    halfLifeSeconds: 'RadionuclideHalfLife',
  } as const;
  for (const [key, attribute] of Object.entries(names) as [keyof typeof names, string][]) {
    if (headers.some((each) => each[key] !== first[key])) {
      fail('MALFORMED', `${name}: its slices disagree about ${attribute}`);
    }
  }
  if (headers.some((each) => each.injection?.seconds !== first.injection?.seconds)) {
    fail('MALFORMED', `${name}: its slices disagree about the time of injection`);
  }
}

function refuseMissing(attributes: readonly string[], name: string): never {
  return fail(
    'MISSING_ATTRIBUTE',
    `${name} cannot be turned into SUV: its header lacks ${attributes.join('; ')}`,
  );
}

function fail(code: ImagingErrorCode, message: string): never {
  throw new ImagingError({ code, message });
}
