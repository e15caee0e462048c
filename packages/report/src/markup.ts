/** A download of the page. */
export interface CsvFile {
  /** with its ending */
  name: string;
  text: string;
}

/**
 * Text that is already HTML. Only `html` and `trusted` make it, so whatever else is printed has been escaped. It carries the
 * downloads printed in it, so that the files written beside a page are those of the page.
 */
export class Markup {
  constructor(
    readonly text: string,
    readonly files: readonly CsvFile[] = [],
  ) {}
}

type Printable = string | number | Markup | undefined | false | Printable[];

/** HTML made by this package (an SVG of the plot library, a style sheet), to be printed as it is. */
export function trusted(text: string, files: readonly CsvFile[] = []): Markup {
  return new Markup(text, files);
}

/** Escapes everything put into the template except markup, so that no field of the input can become HTML. */
export function html(strings: TemplateStringsArray, ...values: Printable[]): Markup {
  const parts = values.map(print);
  return new Markup(
    strings.reduce((text, part, i) => text + parts[i - 1]!.text + part),
    parts.flatMap(({ files }) => files),
  );
}

function print(value: Printable): Markup {
  if (value instanceof Markup) return value;
  if (value === undefined || value === false) return new Markup('');
  if (Array.isArray(value)) {
    const parts = value.map(print);
    return new Markup(
      parts.map(({ text }) => text).join(''),
      parts.flatMap(({ files }) => files),
    );
  }
  return new Markup(escapeHtml(String(value)));
}

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
