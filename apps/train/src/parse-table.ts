import Papa from 'papaparse';

/**
 * The rows of a CSV text with a header, names and values trimmed.
 * @param refuse called with what is wrong where the text is no such table
 */
export function parseTable(content: string, refuse: (finding: string) => never) {
  const { data, errors, meta } = Papa.parse<Record<string, string>>(content.replace(/^\uFEFF/, ''), {
    header: true,
    delimiter: ',',
    skipEmptyLines: true,
    transformHeader: (name) => name.trim(),
    transform: (value) => value.trim(),
  });
  const [broken] = errors;
  if (broken) refuse(`row ${(broken.row ?? 0) + 1}: ${broken.message}`);
  return { data, meta };
}
