import { dataTable } from './data-table.js';
import { pngDataUri, pngFileUri } from './encode-png.js';
import { forestTable } from './forest-table.js';
import { decimal, percent } from './format-number.js';
import { html, type Markup } from './markup.js';
import type {
  ExplanationMap,
  NearestCases,
  ReportExplanation,
  SanityCheck,
  VariableImportance,
} from './report-explanation.js';
import type { Section } from './section.js';

export function explanationSection(explanation: ReportExplanation, positiveClass: string): Section {
  return {
    id: 'explanation',
    title: 'Explanation',
    body: html`<p>What the model used, found by asking it again with its input changed. None of this says that it was right to.</p>
${explanationParts(explanation, positiveClass)}`,
  };
}

/** The parts that are there, for the report and for a case's own report. */
export function explanationParts(
  {
    maps = [],
    sanityChecks = [],
    nearest = [],
    similarityName,
    importance = [],
    importanceNote,
  }: ReportExplanation,
  positiveClass: string,
): Markup {
  return html`${maps.length > 0 && mapPages(maps)}${sanityChecks.length > 0 && sanityTable(sanityChecks)}${
    nearest.length > 0 && nearestTables(nearest, similarityName ?? 'Similarity', positiveClass)
  }${importance.length > 0 && importanceBars(importance, importanceNote)}`;
}

function mapPages(maps: readonly ExplanationMap[]): Markup {
  const cases = [...new Set(maps.map(({ caseLabel }) => caseLabel))];
  return html`<h3>Where the model looked</h3>
${cases.map((caseLabel) => {
  const own = maps.filter((map) => map.caseLabel === caseLabel);
  const methods = [...new Set(own.map(({ method }) => method))];
  return html`<div class="maps"><h4>${caseLabel}</h4>${methods.map(
    (method) =>
      html`<p class="quiet">${method}</p><div class="slices">${own.filter((map) => map.method === method).map(mapImage)}</div>`,
  )}</div>`;
})}
${dataTable({
  caption: 'Maps shown; inside the lesion: the share of the map that lies in the mask',
  csv: 'explanation-maps',
  columns: ['Case', 'Method', 'Slice', 'Attention', 'Inside the lesion'],
  rows: maps.map(({ caseLabel, method, sliceIndex, attention, insideLesion }) => [
    caseLabel,
    method,
    sliceIndex,
    attention === undefined ? '' : { shown: percent(attention, 1), value: attention },
    insideLesion === undefined ? '' : { shown: percent(insideLesion), value: insideLesion },
  ]),
})}`;
}

function mapImage({ caseLabel, method, sliceIndex, image, attention, insideLesion }: ExplanationMap): Markup {
  const source = image instanceof Uint8Array ? pngFileUri(image) : pngDataUri(image);
  const share = insideLesion === undefined ? '' : `, ${percent(insideLesion)} inside the lesion`;
  return html`<figure class="slice"><img src="${source}" alt="${method} on slice ${sliceIndex} of ${caseLabel}${share}"><figcaption>slice ${sliceIndex}${attention !== undefined && html`<span class="number">${percent(attention, 1)}</span>`}</figcaption></figure>`;
}

function sanityTable(checks: readonly SanityCheck[]): Markup {
  return html`<h3>Do the maps depend on the model?</h3>
<p>With its weights made random the model knows nothing, so a map that stays as it was shows the picture and not the model (Adebayo et al. 2018).</p>
${dataTable({
  caption: 'Rank correlation of the maps before and after the weights were made random; near 0 is good',
  csv: 'explanation-sanity',
  columns: ['Method', 'Made random', 'Correlation', 'Limit', 'Passed'],
  rows: checks.map(({ method, randomised, correlation, limit, passed }) => [
    method,
    randomised,
    { shown: decimal(correlation, 2), value: correlation },
    limit === undefined ? '' : { shown: decimal(limit, 2), value: limit },
    passed ? 'yes' : 'no',
  ]),
})}`;
}

function nearestTables(
  nearest: readonly NearestCases[],
  similarityName: string,
  positiveClass: string,
): Markup {
  const truth = (label: number) => (label === 1 ? 'positive' : 'negative');
  return html`<h3>Nearest training cases</h3>
<p>The training cases that the model places closest. Positive means ${positiveClass}.</p>
${nearest.map(({ caseLabel, label, probability, neighbours }, n) => {
  const positives = neighbours.filter((one) => one.label === 1).length;
  return dataTable({
    caption: `${caseLabel}${label === undefined ? '' : `, ${truth(label)}`}${probability === undefined ? '' : `, probability ${decimal(probability, 2)}`}: ${positives} of its ${neighbours.length} nearest training cases are positive`,
    csv: `nearest-${n + 1}`,
    columns: [
      'Training case',
      'Truth',
      similarityName,
      ...(neighbours.some((one) => one.probability !== undefined) ? ['Probability'] : []),
    ],
    rows: neighbours.map((one) => [
      one.caseLabel,
      truth(one.label),
      { shown: decimal(one.similarity, 3), value: one.similarity },
      ...(neighbours.some((other) => other.probability !== undefined)
        ? [
            one.probability === undefined
              ? ''
              : { shown: decimal(one.probability, 2), value: one.probability },
          ]
        : []),
    ]),
  });
})}`;
}

function importanceBars(importance: readonly VariableImportance[], note: string | undefined): Markup {
  const sorted = [...importance].sort((a, b) => b.aucDrop - a.aucDrop);
  return html`<h3>Importance of the variables</h3>
<p>How much AUC is lost when one variable is shuffled over the cases${note !== undefined && ` (${note})`}. Variables that say the same thing share their importance, so each can look unimportant.</p>
${forestTable({
  caption: 'AUC lost when the variable is shuffled',
  nameColumn: 'Variable',
  valueColumn: 'AUC lost',
  reference: 0,
  digits: 3,
  rows: sorted.map(({ variable, aucDrop, lower, upper }) => ({
    name: variable,
    value: {
      estimate: aucDrop,
      ...(lower === undefined ? {} : { lower }),
      ...(upper === undefined ? {} : { upper }),
    },
  })),
  bars: true,
  csv: 'permutation-importance',
  csvColumns: ['variable', 'aucDrop', 'lower', 'upper'],
  csvRows: sorted.map(({ variable, aucDrop, lower, upper }): (string | number)[] => [
    variable,
    aucDrop,
    lower ?? '',
    upper ?? '',
  ]),
})}`;
}
