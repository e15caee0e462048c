import { dataTable } from './data-table.js';
import { pngDataUri } from './encode-png.js';
import { decimal, percent } from './format-number.js';
import { outlinePath } from './lesion-outline.js';
import { html, type Markup } from './markup.js';
import type { AttentionCase, AttentionSlice } from './report-input.js';
import type { MeasuredReport } from './report-model.js';
import type { Section } from './section.js';

/** Images shown a case, the most attended ones: all slices of a volume would make a file of many megabytes. */
const SHOWN_SLICES = 8;

export function attentionSection({ attention, main }: MeasuredReport): Section {
  return {
    id: 'attention',
    title: 'Attention over slices',
    body: html`<p>How much each slice weighed in the prediction of ${main.name}, for ${attention.length === 1 ? 'one case' : `${attention.length} cases`}. The dashed line marks an even share. Attention says what the model used, not that it was right to.</p>
<p class="outline-switch"><label><input type="checkbox" checked> Lesion outline</label></p>
${attention.map(attentionCase)}`,
  };
}

function attentionCase({ caseLabel, label, probability, slices }: AttentionCase, n: number): Markup {
  return html`<article class="case" aria-labelledby="case-${n}">
<h3 id="case-${n}">${caseLabel}</h3>
<p>Probability ${decimal(probability, 2)}; truth: ${label === 1 ? 'positive' : 'negative'}.</p>
${attentionSlices(caseLabel, slices, n + 1)}
</article>`;
}

/** The most attended slices, the weights of all of them as bars, and a table of them. */
export function attentionSlices(caseLabel: string, slices: AttentionSlice[], number: number): Markup {
  const inOrder = [...slices].sort((a, b) => a.index - b.index);
  const chosen = [...slices].sort((a, b) => b.weight - a.weight).slice(0, SHOWN_SLICES);
  const shown = new Set(chosen);
  return html`${slices.length > chosen.length && html`<p>The ${chosen.length} most attended of ${slices.length} slices, in the order of the volume:</p>`}
<div class="slices">${inOrder.filter((slice) => shown.has(slice)).map(sliceImage)}</div>
${bars(caseLabel, inOrder)}
<details><summary>Attention weights of ${caseLabel}</summary>${dataTable({
    caption: `Attention weight of each slice, ${caseLabel}`,
    csv: `attention-${number}`,
    columns: ['Slice (z index)', 'Weight', 'Lesion pixels'],
    rows: inOrder.map((slice) => [
      slice.index,
      { shown: decimal(slice.weight, 4), value: slice.weight },
      slice.lesion.reduce((sum, inside) => sum + (inside ? 1 : 0), 0),
    ]),
  })}</details>`;
}

function sliceImage({ index, weight, pixels, lesion, size }: AttentionSlice): Markup {
  const picture = pngDataUri({ width: size, height: size, channels: 1, data: pixels });
  return html`<figure class="slice"><svg viewBox="0 0 ${size} ${size}" role="img" aria-label="CT slice ${index} with the lesion outlined, attention ${percent(weight, 1)}"><image href="${picture}" width="${size}" height="${size}"/><path class="outline" d="${outlinePath(lesion, size)}" fill="none" vector-effect="non-scaling-stroke"/></svg><figcaption>slice ${index}<span class="number">${percent(weight, 1)}</span></figcaption></figure>`;
}

/** One bar a slice, drawn by hand: there is nothing on it but heights, and every case has one. */
function bars(caseLabel: string, slices: AttentionSlice[]): Markup {
  const width = 720;
  const height = 92;
  const base = 70;
  const largest = Math.max(...slices.map((slice) => slice.weight), 1e-9);
  const mean = slices.reduce((sum, slice) => sum + slice.weight, 0) / slices.length;
  const step = width / slices.length;
  const even = base - (base * mean) / largest;
  const top = slices.reduce((most, slice) => (slice.weight > most.weight ? slice : most));
  const every = Math.ceil(slices.length / 12);
  return html`<svg class="plot bars" viewBox="0 0 ${width} ${height}" role="img" aria-label="Attention of the ${slices.length} slices of ${caseLabel}: highest at slice ${top.index} with ${percent(top.weight, 1)}.">
${slices.map((slice, i) => {
  const tall = (base * slice.weight) / largest;
  return html`<rect x="${(i * step + step * 0.1).toFixed(2)}" y="${(base - tall).toFixed(2)}" width="${(step * 0.8).toFixed(2)}" height="${tall.toFixed(2)}"/>`;
})}
<line class="even" x1="0" x2="${width}" y1="${even.toFixed(2)}" y2="${even.toFixed(2)}"/><line class="base" x1="0" x2="${width}" y1="${base}" y2="${base}"/>
${slices.map((slice, i) => i % every === 0 && html`<text x="${((i + 0.5) * step).toFixed(2)}" y="${height - 6}" text-anchor="middle">${slice.index}</text>`)}
</svg>`;
}
