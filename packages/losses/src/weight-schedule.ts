import { checkOption } from './labels.js';

/** Options of {@link weightSchedule}. */
export interface WeightScheduleOptions {
  /** `constant` jumps from `from` to `to` at `startEpoch`; the others go there over `epochs`. */
  kind: 'constant' | 'linear' | 'cosine';
  /** Weight before `startEpoch`. Default 0. */
  from?: number;
  /** Weight in the end. */
  to: number;
  /** The epoch, from 0, in which the weight starts to change. Default 0. */
  startEpoch?: number;
  /** How many epochs the change takes: `to` is reached at `startEpoch + epochs`. Default 1; `constant` ignores it. */
  epochs?: number;
}

/**
 * The weight of one term of a loss, by epoch: `from` up to `startEpoch`, then `from + (to - from) * f(t)` with t the part
 * of `epochs` that has passed, `f(t) = t` (linear) or `(1 - cos(pi t)) / 2` (cosine, Loshchilov and Hutter 2016), and
 * `to` from then on. Epochs may be fractions. Nothing is kept between calls, so that a resumed run has the same weights.
 *
 * @throws LossError `OPTIONS`
 * @example
 * const contrastive = weightSchedule({ kind: 'cosine', from: 0, to: 0.5, startEpoch: 5, epochs: 10 });
 * contrastive(0); // 0
 * contrastive(10); // 0.25
 * contrastive(15); // 0.5
 */
export function weightSchedule({
  kind,
  from = 0,
  to,
  startEpoch = 0,
  epochs = 1,
}: WeightScheduleOptions): (epoch: number) => number {
  const course = courses[kind];
  checkOption(
    course !== undefined,
    `The schedule's kind is ${kind}; expected ${Object.keys(courses).join(', ')}.`,
  );
  for (const [name, value] of Object.entries({ from, to, startEpoch })) {
    checkOption(
      value >= 0 && Number.isFinite(value),
      `The schedule's ${name} is ${value}; expected a number from 0.`,
    );
  }
  checkOption(
    epochs > 0 && Number.isFinite(epochs),
    `The schedule's epochs is ${epochs}; expected a number above 0.`,
  );
  return (epoch) => {
    checkOption(epoch >= 0, `The epoch is ${epoch}; expected a number from 0.`);
    if (epoch < startEpoch) return from;
    const passed = course((epoch - startEpoch) / epochs);
    return passed >= 1 ? to : from + (to - from) * passed;
  };
}

/** Part of the way that is made when `t` of the time has passed; 1 or more is all of it. */
const courses: Record<WeightScheduleOptions['kind'], (t: number) => number> = {
  constant: () => 1,
  linear: (t) => t,
  cosine: (t) => (t >= 1 ? 1 : (1 - Math.cos(Math.PI * t)) / 2),
};
