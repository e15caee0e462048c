/** Text that is already HTML. Only `html` and `trusted` make it, so whatever else is printed has been escaped. */
export class Markup {
  constructor(readonly text: string) {}
}

type Printable = string | number | Markup | undefined | false | Printable[];

/** HTML made by this package (an SVG of the plot library, a style sheet), to be printed as it is. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** Escapes everything put into the template except markup, so that no field of the input can become HTML. */
export function html(strings: TemplateStringsArray, ...values: Printable[]): Markup {
  return new Markup(strings.reduce((text, part, i) => text + print(values[i - 1]) + part));
}

function print(value: Printable): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(print).join('');
  return escapeHtml(String(value));
}

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
