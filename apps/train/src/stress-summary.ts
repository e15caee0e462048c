import { bootstrapCi, bootstrapDifferenceCi, MetricsError, rocAuc, wilsonCi } from '@onco-response/metrics';
import { csvTable, type Interval, markdownTable, showInterval } from './table.js';

/** What one model says of one case with one change. */
export interface StressRow {
  change: string;
  caseId: string;
  label: 0 | 1;
  probability: number;
  threshold: number;
  /** 1 at the limit; larger is stranger. */
  strangeness: number;
}

type PooledRow = Omit<StressRow, 'change'>;

export interface ChangeSummary {
  name: string;
  cases: number;
  /** Cases that cannot be changed so: a mask that vanishes, a single lesion. */
  excluded: number;
  auc: Interval | null;
  /** Changed minus unchanged, paired, on the same cases; the bootstrap draws patients. */
  aucChange: Interval | null;
  flips: number;
  flipRate: Interval | null;
  toPositive: number;
  toNegative: number;
  meanProbabilityChange: number | null;
  /** Share of the cases beyond the limit of strangeness. */
  strangers: number | null;
  /** Why a number is not there. */
  notDefined?: string;
}

export type StressSummary = ReturnType<typeof summariseStress>;

export function summariseStress(
  rows: readonly StressRow[],
  {
    unchanged,
    changes,
    bootstrap,
    patientOf,
  }: {
    unchanged: string;
    changes: readonly string[];
    bootstrap: { resamples: number; seed: number; level: number };
    patientOf: ReadonlyMap<string, string>;
  },
) {
  const reference = pool(rows, unchanged);
  const strangers = changes.flatMap((name) => {
    const changed = pool(rows, name);
    if (changed.length === 0) return [];
    const labels = [...reference.map(() => 0), ...changed.map(() => 1)];
    return [
      {
        name,
        auc: rocAuc(
          labels,
          [...reference, ...changed].map(({ strangeness }) => strangeness),
        ),
      },
    ];
  });
  const own = measure(reference, reference);
  return {
    unchanged: own,
    stress: changes.map((name) => ({ name, ...measure(pool(rows, name), reference) })),
    outOfDistribution: {
      caseIds: reference.map(({ caseId }) => caseId),
      scores: reference.map(({ strangeness }) => strangeness),
      detectionAuc: strangers,
    },
  };

  function measure(changed: readonly PooledRow[], all: readonly PooledRow[]): Omit<ChangeSummary, 'name'> {
    const before = new Map(all.map((each) => [each.caseId, each]));
    const pairs = changed.map((after) => ({ after, before: before.get(after.caseId) as PooledRow }));
    const excluded = all.length - pairs.length;
    const none = {
      cases: pairs.length,
      excluded,
      auc: null,
      aucChange: null,
      flips: 0,
      flipRate: null,
      toPositive: 0,
      toNegative: 0,
      meanProbabilityChange: null,
      strangers: null,
    };
    if (pairs.length === 0) return { ...none, notDefined: 'no case can be changed so' };
    const positive = ({ probability, threshold }: PooledRow) => probability >= threshold;
    const flipped = pairs.filter((pair) => positive(pair.after) !== positive(pair.before));
    const toPositive = flipped.filter(({ after }) => positive(after)).length;
    const counted = {
      ...none,
      flips: flipped.length,
      flipRate: wilsonCi(flipped.length, pairs.length, { level: bootstrap.level }),
      toPositive,
      toNegative: flipped.length - toPositive,
      meanProbabilityChange: mean(
        pairs.map((pair) => Math.abs(pair.after.probability - pair.before.probability)),
      ),
      strangers: mean(pairs.map(({ after }) => Number(after.strangeness > 1))),
    };
    const labels = pairs.map(({ after }) => after.label);
    const options = { ...bootstrap, clusters: labels.map((_, i) => patientOf.get(pairs[i]!.after.caseId)!) };
    const [after, prior] = (['after', 'before'] as const).map((side) =>
      pairs.map((pair) => pair[side].probability),
    ) as [number[], number[]];
    try {
      return {
        ...counted,
        auc: limits(bootstrapCi(rocAuc, labels, after, options)),
        aucChange: limits(bootstrapDifferenceCi(rocAuc, labels, after, prior, options)),
      };
    } catch (error) {
      if (!MetricsError.isInstance(error)) throw error;
      return { ...counted, notDefined: error.message };
    }
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const limits = ({ estimate, lower, upper }: Interval): Interval => ({ estimate, lower, upper });

/** The rows of one change, averaged over the models that judged a case, by case. */
function pool(rows: readonly StressRow[], change: string): PooledRow[] {
  const byCase = new Map<string, StressRow[]>();
  for (const row of rows) {
    if (row.change !== change) continue;
    const own = byCase.get(row.caseId);
    if (own) own.push(row);
    else byCase.set(row.caseId, [row]);
  }
  return [...byCase]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([caseId, own]) => ({
      caseId,
      label: own[0]!.label,
      probability: mean(own.map(({ probability }) => probability)),
      threshold: mean(own.map(({ threshold }) => threshold)),
      strangeness: mean(own.map(({ strangeness }) => strangeness)),
    }));
}

interface Shown extends Pick<StressSummary, 'unchanged' | 'stress'> {
  synthetic: boolean;
  conformal: {
    levels: {
      target: number;
      covered: number;
      cases: number;
      perClass: { label: number; covered: number; cases: number }[];
      singletons: number;
    }[];
  };
  conformalPerClass: Shown['conformal'];
}

const percent = (share: number) => `${(100 * share).toFixed(0)}%`;

/** What the terminal shows. */
export function stressTable({ synthetic, unchanged, stress, conformal, conformalPerClass }: Shown): string {
  const changes = markdownTable([
    ['changed input', 'cases', 'AUC', 'change in AUC [CI]', 'decisions that flip', 'strangers'],
    ...[{ name: 'as it is', ...unchanged }, ...stress].map((each) => [
      each.name,
      String(each.cases),
      each.auc?.estimate.toFixed(3) ?? '',
      each.aucChange && each.name !== 'as it is' ? showInterval(each.aucChange) : '',
      each.cases === 0 || each.name === 'as it is'
        ? ''
        : `${each.flips} (${percent(each.flips / each.cases)})`,
      each.strangers === null ? '' : percent(each.strangers),
    ]),
  ]);
  const sets = markdownTable([
    ['conformal sets', 'promised', 'covered', 'negatives', 'positives', 'one label'],
    ...[['over all cases', conformal] as const, ['within each class', conformalPerClass] as const].flatMap(
      ([name, { levels }]) =>
        levels.map((level) => [
          name,
          percent(level.target),
          percent(level.covered / level.cases),
          ...level.perClass.map(({ covered, cases }) => (cases === 0 ? '' : percent(covered / cases))),
          percent(level.singletons / level.cases),
        ]),
    ),
  ]);
  return [...(synthetic ? ['SYNTHETIC cases', ''] : []), changes, '', sets].join('\n');
}

export function stressCsv({ unchanged, stress }: Pick<StressSummary, 'unchanged' | 'stress'>): string {
  const cells = (interval: Interval | null) =>
    interval ? [interval.estimate, interval.lower, interval.upper] : ['', '', ''];
  return csvTable([
    [
      'change',
      'cases',
      'excluded',
      ...['auc', 'auc_lower', 'auc_upper', 'auc_change', 'auc_change_lower', 'auc_change_upper'],
      ...['flips', 'flip_rate', 'flip_rate_lower', 'flip_rate_upper', 'to_positive', 'to_negative'],
      'mean_probability_change',
      'strangers',
    ],
    ...[{ name: 'as it is', ...unchanged }, ...stress].map((each) => [
      each.name,
      each.cases,
      each.excluded,
      ...cells(each.auc),
      ...cells(each.aucChange),
      each.flips,
      ...cells(each.flipRate),
      each.toPositive,
      each.toNegative,
      each.meanProbabilityChange ?? '',
      each.strangers ?? '',
    ]),
  ]);
}

/** One row a case, change and model. */
export function stressCasesCsv(rows: readonly StressRow[]): string {
  return csvTable([
    ['case', 'change', 'label', 'probability', 'threshold', 'strangeness'],
    ...rows.map((row) => [
      row.caseId,
      row.change,
      row.label,
      row.probability,
      row.threshold,
      row.strangeness,
    ]),
  ]);
}
