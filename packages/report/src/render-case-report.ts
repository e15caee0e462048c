import { wilsonCi } from '@onco-response/metrics';
import type { CaseReportInput } from './case-report-input.js';
import { dataTable } from './data-table.js';
import type { CountedProportion } from './evaluate-model.js';
import { decimal, interval, percent } from './format-number.js';
import { checkSlice } from './lesion-outline.js';
import { html, type Markup } from './markup.js';
import { renderPage } from './page.js';
import { ReportError } from './report-error.js';
import type { Section } from './section.js';
import { attentionSlices } from './section-attention.js';
import { explanationParts } from './section-explanation.js';

/**
 * Renders one prediction as a page: the probability and what it means, the threshold and what it was chosen for, the slices with
 * their attention, the lesion's volume, how the case sits among the training cases, warnings, what was run. One file, no
 * script, nothing fetched; the same input gives the same bytes.
 *
 * @throws ReportError `INVALID_INPUT` for a probability or threshold outside [0, 1] or a volume that is negative, `IMAGE_SIZE` as
 *   `renderReport`
 * @example
 * await writeFile('case-12.html', renderCaseReport({ caseLabel: 'case 12', probability: 0.73, ...rest }))
 */
export function renderCaseReport(input: CaseReportInput): string {
  check(input);
  const { slices, explanation, warnings } = input;
  const warned: Section = {
    id: 'warnings',
    title: 'Warnings',
    body:
      warnings.length === 0
        ? html`<p>None.</p>`
        : html`<ul class="warnings">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>`,
  };
  return renderPage({
    kicker: 'Case report',
    title: input.caseLabel,
    lead: input.target,
    quiet: `${input.title}. Model: ${input.model.name}. Positive class: ${input.positiveClass}.`,
    synthetic: input.synthetic,
    sections: [
      predictionSection(input),
      ...(warnings.length > 0 ? [warned] : []),
      thresholdSection(input),
      lesionSection(input),
      distributionSection(input),
      ...(slices.length > 0 ? [slicesSection(input)] : []),
      ...(explanation
        ? [
            {
              id: 'explanation',
              title: 'Explanation',
              body: explanationParts(explanation, input.positiveClass),
            },
          ]
        : []),
      runSection(input),
      ...(warnings.length === 0 ? [warned] : []),
    ],
  }).text;
}

const isPositive = ({ probability, threshold }: CaseReportInput) => probability >= threshold.value;

function predictionSection(input: CaseReportInput): Section {
  const {
    probability,
    calibration,
    threshold,
    lesion,
    distribution,
    positiveClass,
    prevalence,
    spread,
    predictionSet,
  } = input;
  const card = (label: string, value: string, detail: string, lead = false) =>
    html`<div class="${lead ? 'card lead' : 'card'}"><dt>${label}</dt><dd><span class="figure">${value}</span> <span class="detail">${detail}</span></dd></div>`;
  const called = isPositive(input);
  const stranger = distribution && distribution.score > distribution.threshold;
  return {
    id: 'prediction',
    title: 'Prediction',
    body: html`<dl class="cards">
${card(calibration.calibrated ? `Probability of ${positiveClass}` : `Score for ${positiveClass}`, decimal(probability, 2), calibration.calibrated ? `calibrated, ${calibration.method}` : 'not calibrated', true)}
${card(`At the threshold of ${decimal(threshold.value, 2)}`, called ? 'positive' : 'negative', threshold.target ?? threshold.rule)}
${card('Lesion volume', volume(lesion.volumeMm3), lesion.largerThan === undefined ? 'of the mask' : `larger than ${percent(lesion.largerThan)} of the training cases`)}
${distribution && card('Among the training cases', stranger ? 'unlike them' : 'like them', distribution.strangerThan === undefined ? distribution.rule : `stranger than ${percent(distribution.strangerThan)} of others`)}
</dl>
${scale(input)}
<p>${meaning(input)}</p>
${prevalence !== undefined && html`<p>Without the model, the share of positives among the training cases would be all there is to go by: ${percent(prevalence)}.</p>`}
${spread && html`<p>${spread.meaning}: ${interval(spread.lower, spread.upper, 2)}.</p>`}
${predictionSet && html`<p>${setInWords(predictionSet)}</p>`}
<p class="quiet">A prediction of a model under research. It does not know what is not in the image, and must not decide about a patient.</p>`,
  };
}

/** What the probability means, in counts: people read "7 of 24" better than "0.73". */
function meaning({ probability, calibration, positiveClass }: CaseReportInput): string {
  if (!calibration.calibrated) {
    return 'The score was not calibrated: a higher one is more likely to be positive, and nothing more can be read from it.';
  }
  const expected = `Of 100 cases given this probability, about ${Math.round(100 * probability)} are expected to be positive (${positiveClass}), if the case is like those that the model was calibrated on (${calibration.fittedOn}).`;
  const { similar } = calibration;
  if (!similar || similar.cases === 0) return expected;
  const { lower, upper } = wilsonCi(similar.positives, similar.cases);
  return `${expected} Seen: of the ${similar.cases} ${similar.of} given between ${decimal(similar.lower, 2)} and ${decimal(similar.upper, 2)}, ${similar.positives} were positive (${percent(similar.positives / similar.cases)}, 95% interval ${percent(lower)} to ${percent(upper)}).`;
}

function setInWords({ level, labels, method }: NonNullable<CaseReportInput['predictionSet']>): string {
  const holds =
    labels.length === 2
      ? 'both classes: the data do not settle this case'
      : labels.length === 0
        ? 'no class: the case is unlike those of either class'
        : `${labels[0] === 1 ? 'positive' : 'negative'} alone`;
  return `The prediction set that holds the truth in ${percent(level)} of cases (${method}) names ${holds}.`;
}

/** Probability, threshold and prevalence on one line from 0 to 1. */
function scale({ probability, threshold, prevalence }: CaseReportInput): Markup {
  const at = (value: number) => `left:${(100 * value).toFixed(2)}%`;
  return html`<div class="scale" role="img" aria-label="On a scale from 0 to 1: probability ${decimal(probability, 2)}, threshold ${decimal(threshold.value, 2)}${prevalence === undefined ? '' : `, prevalence ${decimal(prevalence, 2)}`}.">
<div class="scale-line"><span class="scale-filled" style="width:${(100 * probability).toFixed(2)}%"></span><span class="scale-threshold" style="${at(threshold.value)}"></span>${prevalence !== undefined && html`<span class="scale-prevalence" style="${at(prevalence)}"></span>`}<span class="scale-mark" style="${at(probability)}"></span></div>
<div class="scale-ends"><span>0</span><span>1</span></div><div class="scale-keys"><span class="scale-key"><i class="scale-key-mark"></i>probability</span><span class="scale-key"><i class="scale-key-threshold"></i>threshold</span>${prevalence !== undefined && html`<span class="scale-key"><i class="scale-key-prevalence"></i>share in training</span>`}</div></div>`;
}

function thresholdSection(input: CaseReportInput): Section {
  const { threshold } = input;
  const { reached } = threshold;
  const rows: [string, CountedProportion | null | undefined][] = [
    ['Sensitivity', reached?.sensitivity],
    ['Specificity', reached?.specificity],
    ['Positive predictive value', reached?.positivePredictiveValue],
    ['Negative predictive value', reached?.negativePredictiveValue],
  ];
  const known = rows.flatMap(([name, value]) => (value ? [{ name, value }] : []));
  return {
    id: 'threshold',
    title: 'The threshold',
    body: html`<p>A case is called positive from ${decimal(threshold.value, 3)} on. The threshold was chosen on ${threshold.chosenOn} cases: ${threshold.rule}.${threshold.target !== undefined && ` It is meant to reach a ${threshold.target.replace(/^an? /, '')}.`} This case lies ${decimal(Math.abs(input.probability - threshold.value), 2)} ${isPositive(input) ? 'above' : 'below'} it.</p>
${
  known.length > 0 &&
  dataTable({
    caption: `What the threshold reached on ${reached!.of}`,
    csv: 'case-threshold',
    columns: ['Measure', 'Cases', 'Value', '95% CI'],
    rows: known.map(({ name, value }) => [
      name,
      `${value.successes} / ${value.total}`,
      { shown: decimal(value.estimate), value: value.estimate },
      interval(value.lower, value.upper),
    ]),
  })
}`,
  };
}

const volume = (mm3: number) =>
  mm3 < 1000 ? `${Math.round(mm3)} mm\u00b3` : `${decimal(mm3 / 1000, mm3 < 100_000 ? 1 : 0)} mL`;

function lesionSection({ lesion, slices }: CaseReportInput): Section {
  const { volumeMm3, parts, largerThan, usualMm3, source } = lesion;
  const inside = slices.filter((slice) => slice.lesion.some((value) => value !== 0)).length;
  const unusual = usualMm3 && (volumeMm3 < usualMm3[0] || volumeMm3 > usualMm3[1]);
  return {
    id: 'lesion',
    title: 'The mask',
    body: html`${unusual && html`<p class="blank-line"><strong>Unusual volume.</strong> Nine in ten training cases lie between ${volume(usualMm3[0])} and ${volume(usualMm3[1])}.</p>`}
${dataTable({
  caption: 'The lesion as the mask has it',
  csv: 'case-lesion',
  columns: ['Measure', 'Value'],
  rows: [
    ['Volume', { shown: volume(volumeMm3), value: volumeMm3 }],
    ...(parts === undefined ? [] : [['Separate parts', parts]]),
    ...(largerThan === undefined
      ? []
      : [['Training cases with a smaller volume', { shown: percent(largerThan), value: largerThan }]]),
    ...(usualMm3 === undefined
      ? []
      : [
          [
            'Usual among training cases (5th to 95th percentile)',
            `${volume(usualMm3[0])} to ${volume(usualMm3[1])}`,
          ],
        ]),
    ...(slices.length === 0
      ? []
      : [['Slices given to the model that show it', `${inside} of ${slices.length}`]]),
    ...(source === undefined ? [] : [['Drawn by', source]]),
  ] as (string | number)[][],
})}`,
  };
}

function distributionSection({ distribution }: CaseReportInput): Section {
  const section = { id: 'distribution', title: 'Among the training cases' };
  if (!distribution) {
    return {
      ...section,
      body: html`<p class="blank-line"><strong>Not known.</strong> Nobody measured how this case compares with the training cases, so nothing warns if it is unlike them.</p>`,
    };
  }
  const { method, score, threshold, rule, strangerThan } = distribution;
  return {
    ...section,
    body: html`${score > threshold && html`<p class="blank-line"><strong>Unlike the training cases.</strong> The prediction is an extrapolation: what was measured on the test cases does not hold for it.</p>`}
<p>${method}: ${decimal(score, 2)}, limit ${decimal(threshold, 2)} (${rule}).${strangerThan !== undefined && ` ${percent(strangerThan)} of the cases that the limit rests on lie closer to the training cases than this one.`}</p>`,
  };
}

function slicesSection({ slices, caseLabel, model }: CaseReportInput): Section {
  return {
    id: 'slices',
    title: 'Slices and attention',
    body: html`<p>How much each slice weighed in the prediction of ${model.name}. The dashed line marks an even share. Attention says what the model used, not that it was right to.</p>
<p class="outline-switch"><label><input type="checkbox" checked> Lesion outline</label></p>
${attentionSlices(caseLabel, [...slices], 1)}`,
  };
}

function runSection({ run, model, notes = [] }: CaseReportInput): Section {
  return {
    id: 'run',
    title: 'What was run',
    body: html`${model.description !== undefined && html`<p>${model.name}: ${model.description}</p>`}<div class="provenance">${dataTable(
      {
        caption: 'Versions, seeds, hashes and times',
        csv: 'case-run',
        columns: ['Item', 'Value'],
        rows: Object.entries(run),
      },
    )}</div>${notes.length > 0 && html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`,
  };
}

function check({ probability, threshold, lesion, slices }: CaseReportInput): void {
  for (const [name, value] of [
    ['probability', probability],
    ['threshold.value', threshold.value],
  ] as const) {
    if (!(value >= 0 && value <= 1)) {
      throw new ReportError({
        code: 'INVALID_INPUT',
        message: `${name} is ${value}: it has to lie between 0 and 1.`,
      });
    }
  }
  if (!(lesion.volumeMm3 >= 0 && Number.isFinite(lesion.volumeMm3))) {
    throw new ReportError({
      code: 'INVALID_INPUT',
      message: `lesion.volumeMm3 is ${lesion.volumeMm3}: a volume in cubic millimetres of at least 0 is needed.`,
    });
  }
  slices.forEach(checkSlice);
}
