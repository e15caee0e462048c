import { cross, type DicomSlice, dot } from './dicom-slice.js';
import type { Moment } from './dicom-time.js';
import { ImagingError } from './imaging-error.js';

/** Slices nearer than this are the same place. */
const SAME_PLACE_MM = 1e-2;

const DAY_SECONDS = 86_400;

/** Positions written out in one message. */
const MAX_POSITIONS = 10;

/** One phase of a dynamic series: a slice for each position. */
export interface Phase {
  readonly slices: readonly DicomSlice[];
  /** Since the first phase; undefined where the header has no time that differs between phases. */
  readonly seconds: number | undefined;
}

/** How one attribute tells phases apart: a number for each slice, larger later. */
interface Clock {
  readonly attribute: string;
  readonly isTime: boolean;
  readonly values: ReadonlyMap<DicomSlice, number>;
}

/**
 * Splits the slices of one series whose positions repeat into phases in time order: by TemporalPositionIdentifier, else
 * TriggerTime, else AcquisitionTime, else ContentTime, whichever first differs at every position.
 * @throws ImagingError UNEVEN_PHASES where phases do not hold the same positions once, or nothing tells them apart
 */
export function splitPhases(
  slices: readonly DicomSlice[],
  name: string,
): { phases: Phase[]; attribute: string | undefined } {
  const positions = samePlaces(slices);
  const count = positions[0]!.slices.length;
  const odd = positions.filter((position) => position.slices.length !== count);
  if (odd.length > 0) {
    const counts = positions.map((position) => position.slices.length).sort((a, b) => a - b);
    const usual = counts[Math.floor(counts.length / 2)]!;
    const listed = positions
      .filter((position) => position.slices.length !== usual)
      .slice(0, MAX_POSITIONS)
      .map((position) => `${position.slices.length} at ${position.place.toFixed(2)} mm`);
    fail(
      `${name} has ${usual} slices at most positions, but ${listed.join(', ')}: slices are missing or doubled`,
    );
  }
  if (count === 1) return { phases: [{ slices, seconds: 0 }], attribute: undefined };
  const clocks = clocksOf(slices);
  const clock = clocks.find(({ values }) =>
    positions.every((position) => new Set(position.slices.map((s) => values.get(s)!)).size === count),
  );
  if (clock === undefined) {
    fail(
      `${name} has ${count} slices at each position, but neither TemporalPositionIdentifier, TriggerTime, AcquisitionTime nor ContentTime tells them apart`,
    );
  }
  const at = (slice: DicomSlice): number => clock.values.get(slice)!;
  const phases: DicomSlice[][] = Array.from({ length: count }, () => []);
  for (const position of positions) {
    const ordered = [...position.slices].sort((a, b) => at(a) - at(b));
    for (const [phase, slice] of ordered.entries()) phases[phase]!.push(slice);
  }
  refuseOverlap(phases, clock, name);
  const seconds = secondsOf(phases, clocks);
  const split = phases.map((phase, index) => ({ slices: phase, seconds: seconds?.[index] }));
  // temporal positions may be numbered against time
  if (seconds) split.sort((a, b) => a.seconds! - b.seconds!);
  return { phases: split, attribute: clock.attribute };
}

/** Slices grouped by their place along the normal. Sideways shifts are found when a phase is stacked. */
function samePlaces(slices: readonly DicomSlice[]): { place: number; slices: DicomSlice[] }[] {
  const { row, column } = slices[0]!;
  const normal = cross(row, column);
  const placed = slices.map((slice) => ({ slice, place: dot(slice.position, normal) }));
  placed.sort((a, b) => a.place - b.place);
  const groups: { place: number; slices: DicomSlice[] }[] = [];
  for (const { slice, place } of placed) {
    const group = groups.at(-1);
    if (group && place - group.place < SAME_PLACE_MM) group.slices.push(slice);
    else groups.push({ place, slices: [slice] });
  }
  return groups;
}

/** The attributes that every slice has, in order of preference. */
function clocksOf(slices: readonly DicomSlice[]): Clock[] {
  const clock = (
    attribute: string,
    isTime: boolean,
    read: (slice: DicomSlice) => number | undefined,
  ): Clock[] => {
    const values = new Map<DicomSlice, number>();
    for (const slice of slices) {
      const value = read(slice);
      if (value === undefined) return [];
      values.set(slice, value);
    }
    return [{ attribute, isTime, values }];
  };
  const moments = (attribute: string, read: (slice: DicomSlice) => Moment | undefined): Clock[] => {
    const dated = slices.every((slice) => read(slice)?.dated);
    const clocks = clock(attribute, true, (slice) => {
      const seconds = read(slice)?.seconds;
      return seconds === undefined || dated ? seconds : seconds % DAY_SECONDS;
    });
    return dated ? clocks : clocks.map(overMidnight);
  };
  return [
    ...clock('TemporalPositionIdentifier', false, (slice) => slice.timing.temporalPosition),
    ...clock('TriggerTime', true, (slice) => slice.timing.trigger),
    ...moments('AcquisitionTime', (slice) => slice.timing.acquisition),
    ...moments('ContentTime', (slice) => slice.timing.content),
  ];
}

/** Times without dates that lie more than half a day apart go over midnight. */
function overMidnight(clock: Clock): Clock {
  const times = [...clock.values.values()];
  const [first, last] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  if (last - first <= DAY_SECONDS / 2) return clock;
  const values = new Map<DicomSlice, number>();
  for (const [slice, time] of clock.values) {
    values.set(slice, time < DAY_SECONDS / 2 ? time + DAY_SECONDS : time);
  }
  return { ...clock, values };
}

/** A phase ends before the next one starts; else slices of several phases were mixed, or one was taken twice. */
function refuseOverlap(phases: readonly (readonly DicomSlice[])[], clock: Clock, name: string): void {
  let end = -Infinity;
  for (const [index, phase] of phases.entries()) {
    const times = phase.map((slice) => clock.values.get(slice)!);
    if (Math.min(...times) <= end) {
      fail(
        `${name}: by ${clock.attribute}, phase ${index + 1} of ${phases.length} starts before phase ${index} ends: its slices do not form whole phases`,
      );
    }
    end = Math.max(...times);
    if (!clock.isTime && Math.min(...times) !== end) {
      fail(
        `${name}: slices of several values of ${clock.attribute} would share phase ${index + 1}: slices are missing`,
      );
    }
  }
}

/** Start of each phase after the first one, from the first time attribute that differs between all phases. */
function secondsOf(
  phases: readonly (readonly DicomSlice[])[],
  clocks: readonly Clock[],
): number[] | undefined {
  for (const { isTime, values } of clocks) {
    if (!isTime) continue;
    const starts = phases.map((phase) => Math.min(...phase.map((slice) => values.get(slice)!)));
    if (new Set(starts).size < starts.length) continue;
    const first = Math.min(...starts);
    return starts.map((start) => start - first);
  }
  return undefined;
}

function fail(message: string): never {
  throw new ImagingError({ code: 'UNEVEN_PHASES', message });
}
