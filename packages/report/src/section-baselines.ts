import { forestTable } from './forest-table.js';
import { decimal, interval, levelPercent, pValue } from './format-number.js';
import { html } from './markup.js';
import type { ModelRole } from './report-input.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

/** What every imaging model has to be held against (TRIPOD+AI 12e, METRICS 24 and 25). */
const MANDATORY: [role: ModelRole, name: string][] = [
  ['volumeOnly', 'lesion volume only'],
  ['clinicalOnly', 'clinical variables only'],
  ['volumeAndClinical', 'volume and clinical variables'],
];

/** The first model against each of its baselines, in paired tests. */
export function baselinesSection({ main, models, baselines, bootstrap }: MeasuredReport): Section {
  const level = levelPercent(bootstrap.level);
  const roles = new Set(models.map(({ effectiveRole }) => effectiveRole));
  const missing = MANDATORY.filter(([role]) => !roles.has(role) && main.effectiveRole !== role).map(
    ([, name]) => name,
  );
  const named = new Map(MANDATORY);
  const p = (value: number | null | undefined) =>
    value === null || value === undefined
      ? 'not defined'
      : pValue(value)
          .replace(/^p\s=\s/, '')
          .replace(/^p\s/, '');
  const of = (name: string) => models.find((model) => model.name === name)!;
  return {
    id: 'baselines',
    title: 'Baselines',
    body: html`<p>${
      baselines.length === 0
        ? `No baseline was given, so nothing says whether ${main.name} adds anything to what is known without it.`
        : `${main.name} against ${baselines.length === 1 ? 'its baseline' : `each of its ${baselines.length} baselines`} on the same cases. Right of the dashed line, ${main.name} has the larger AUC.`
    }</p>
${
  baselines.length > 0 &&
  forestTable({
    caption: `AUC of ${main.name} minus that of the baseline, with ${level}% paired bootstrap intervals; DeLong's test, p adjusted by Holm over the baselines; McNemar's mid-p of the calls at the thresholds`,
    nameColumn: 'Baseline',
    valueColumn: 'AUC difference',
    columns: ['DeLong p', 'Holm p', 'McNemar p'],
    reference: 0,
    atLeast: [-0.05, 0.05],
    limits: [-1, 1],
    rows: baselines.map(({ name, difference, delong, adjustedP, mcnemar }) => {
      const { effectiveRole, evaluation } = of(name);
      const role = effectiveRole && named.get(effectiveRole);
      return {
        name,
        below: `${role && role !== name.toLowerCase() ? `${role}; ` : ''}AUC ${decimal(evaluation.rocAuc.estimate, 2)} (${interval(evaluation.rocAuc.lower, evaluation.rocAuc.upper, 2)})`,
        value: difference,
        cells: [p(delong?.p), p(adjustedP), p(mcnemar.midP)],
      };
    }),
    csv: 'baselines',
    csvColumns: [
      'baseline',
      'role',
      'aucMain',
      'aucBaseline',
      'difference',
      'differenceLower',
      'differenceUpper',
      'delongZ',
      'delongP',
      'holmP',
      'delongLower',
      'delongUpper',
      'onlyMainRight',
      'onlyBaselineRight',
      'mcnemarExactP',
      'mcnemarMidP',
    ],
    csvRows: baselines.map(
      ({
        name,
        aucA,
        aucB,
        difference,
        delong,
        adjustedP,
        delongDifference,
        mcnemar,
      }): (string | number)[] => [
        name,
        of(name).effectiveRole ?? '',
        aucA,
        aucB,
        difference.estimate,
        difference.lower,
        difference.upper,
        delong?.z ?? '',
        delong?.p ?? '',
        adjustedP ?? '',
        delongDifference?.lower ?? '',
        delongDifference?.upper ?? '',
        mcnemar.onlyA,
        mcnemar.onlyB,
        mcnemar.exactP,
        mcnemar.midP,
      ],
    ),
  })
}
${missing.length > 0 && html`<p class="blank-line"><strong>Not given:</strong> ${missing.join(', ')}. A model that has not been held against these may be measuring them.</p>`}
${main.clusters !== undefined && baselines.length > 0 && html`<p class="quiet">DeLong's and McNemar's tests take cases as independent, which several cases of one patient are not. The interval of the difference draws patients and is the one to rely on here.</p>`}`,
  };
}
