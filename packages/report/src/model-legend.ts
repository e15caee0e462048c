import { seriesStyle } from './chart.js';
import { html, type Markup } from './markup.js';

/** Names of lines with their colour and dash and a number below, in HTML so that it wraps and is read out. */
export function modelLegend(title: string, models: { name: string; value: string }[]): Markup {
  return html`<p class="legend-title">${title}</p><ul class="legend">${models.map(({ name, value }, n) => {
    const { cssColour, dash } = seriesStyle(n);
    return html`<li><svg width="32" height="8" aria-hidden="true"><line x1="0" x2="32" y1="4" y2="4" style="stroke:${cssColour}" stroke-width="2.5" stroke-dasharray="${dash === 'solid' ? 'none' : dash.join(' ')}"/></svg><span>${name}<span class="below">${value}</span></span></li>`;
  })}</ul>`;
}
