const DAY_SECONDS = 86_400;

/** A point in time, in seconds; where the header gives no date, seconds after midnight. Never printed. */
export interface Moment {
  readonly seconds: number;
  readonly dated: boolean;
}

/** Seconds after midnight of a DICOM time (TM): `HHMMSS.FFFFFF`, cut anywhere, or the old `HH:MM:SS`. */
function secondsOfTime(text: string | undefined): number | undefined {
  const parts = /^(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d*)?)?)?$/.exec(text?.trim() ?? '');
  if (parts === null) return undefined;
  const [hours, minutes, seconds] = [Number(parts[1]), Number(parts[2] ?? 0), Number(parts[3] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
  return hours * 3600 + minutes * 60 + seconds + Number(`0${parts[4] ?? ''}`);
}

/** Seconds from 1970 to the midnight a DICOM date (DA) starts with: `YYYYMMDD`, or the old `YYYY.MM.DD`. */
function secondsOfDate(text: string | undefined): number | undefined {
  const parts = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(text?.trim() ?? '');
  if (parts === null) return undefined;
  return Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3])) / 1000;
}

/** The moment of a date and a time; undefined without a time, since a day is no moment. */
export function momentOf(date: string | undefined, time: string | undefined): Moment | undefined {
  const ofTime = secondsOfTime(time);
  if (ofTime === undefined) return undefined;
  const ofDate = secondsOfDate(date);
  return { seconds: (ofDate ?? 0) + ofTime, dated: ofDate !== undefined };
}

/**
 * The moment of a DICOM date and time in one (DT): `YYYYMMDDHHMMSS.FFFFFF&ZZXX`. It is local time, as dates and times
 * are: where it names another offset from UTC than the file does, it is moved to the file's.
 */
export function momentOfDateTime(text: string | undefined, fileOffset?: string): Moment | undefined {
  const parts = /^(\d{8})(\d{2,6}(?:\.\d*)?)([+-]\d{4})?$/.exec(text?.trim() ?? '');
  const moment = parts ? momentOf(parts[1], parts[2]) : undefined;
  if (!moment?.dated) return undefined;
  const own = offsetSeconds(parts?.[3]);
  const wanted = offsetSeconds(fileOffset?.trim());
  return own === undefined || wanted === undefined
    ? moment
    : { seconds: moment.seconds - own + wanted, dated: true };
}

function offsetSeconds(text: string | undefined): number | undefined {
  const parts = /^([+-])(\d\d)(\d\d)$/.exec(text ?? '');
  if (parts === null) return undefined;
  return (parts[1] === '-' ? -1 : 1) * (Number(parts[2]) * 3600 + Number(parts[3]) * 60);
}

/** Seconds from one moment to a later one; without both dates less than a day has passed, maybe over midnight. */
export function secondsBetween(from: Moment, to: Moment): number {
  const difference = to.seconds - from.seconds;
  if (from.dated && to.dated) return difference;
  return ((difference % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS;
}
