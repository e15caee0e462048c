import { html, type Markup } from './markup.js';

export interface Section {
  id: string;
  title: string;
  body: Markup;
}

export function renderSection({ id, title, body }: Section): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`;
}

/** A plot with its caption, and its numbers beside it. */
export function figure({
  plot,
  caption,
  legend,
  numbers,
}: {
  plot: Markup;
  caption: string;
  legend?: Markup;
  numbers?: Markup;
}): Markup {
  return html`<div class="beside"><figure>${legend}${plot}<figcaption>${caption}</figcaption></figure>${
    numbers && html`<div class="numbers">${numbers}</div>`
  }</div>`;
}
