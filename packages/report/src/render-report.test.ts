import { describe, expect, test } from 'vitest';
import { madeUpReport } from './__fixtures__/made-up-report.js';
import { toCsv } from './data-table.js';
import { evaluateModel, ReportError, type ReportInput, renderReport } from './index.js';

const input = { ...madeUpReport({ size: 24 }), bootstrap: { resamples: 100, seed: 3, level: 0.95 } };
const page = renderReport(input);

const code = (change: Partial<ReportInput>) => {
  try {
    renderReport({ ...input, ...change });
  } catch (error) {
    return ReportError.isInstance(error) && error.code;
  }
  return 'no error';
};

test('the same input gives the same bytes', () => expect(renderReport(input) === page).toBe(true));

describe('self-contained', () => {
  test('nothing is fetched and nothing runs', () => {
    expect(page.match(/<script|<link|<iframe|@import|url\((?!#)|<[^>]*\son\w+=/gi)).toBeNull();
    const addresses = [...page.matchAll(/\b(?:src|href|xlink:href|action)="([^"]*)"/g)].map(
      (match) => match[1]!,
    );
    expect(addresses.length).toBeGreaterThan(20);
    for (const address of addresses) expect(address).toMatch(/^(#|data:)/);
    // XML namespaces are names, not addresses that a browser opens.
    expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '').match(/https?:/)).toBeNull();
  });
  test('plots take their colours from the page, so that dark mode and print work', () => {
    const plots = [...page.matchAll(/<svg class="plot"[\s\S]*?<\/svg>/g)].map((match) => match[0]);
    expect(plots.length).toBe(9);
    for (const plot of plots) {
      const colours = [...plot.matchAll(/(?:stroke|fill)="([^"]*)"/g)].map((match) => match[1]!);
      // #000 is the inside of a clip path, which is never painted.
      for (const colour of colours) expect(colour).toMatch(/^(var\(--[\w-]+\)|none|#000)$/);
      expect(plot.match(/NaN|undefined|Infinity/)).toBeNull();
    }
  });
  test('ids are unique and every reference has its target', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
    expect(new Set(ids).size).toBe(ids.length);
    const wanted = [
      ...[...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]!),
      ...[...page.matchAll(/aria-labelledby="([^"]+)"/g)].map((match) => match[1]!),
      ...[...page.matchAll(/url\(#([^)]+)\)/g)].map((match) => match[1]!),
    ];
    for (const id of wanted) expect(ids).toContain(id);
  });
});

test('the numbers are those of evaluateModel, whether computed or given', () => {
  const main = input.models[0]!;
  const evaluation = evaluateModel(main.labels, main.scores, {
    threshold: input.threshold.value,
    bootstrap: input.bootstrap,
    clusters: main.clusters!,
  });
  const { estimate, lower, upper } = evaluation.rocAuc;
  expect(page.includes(`${estimate.toFixed(3)} (${lower.toFixed(3)}\u2013${upper.toFixed(3)})`)).toBe(true);
  const [first, ...rest] = input.models;
  expect(renderReport({ ...input, models: [{ ...first!, evaluation }, ...rest] }) === page).toBe(true);
});

test('every section is there, and those without data are left out', () => {
  const titles = (html: string) => [...html.matchAll(/<h2 id="[^"]*">([^<]*)</g)].map((match) => match[1]);
  expect(titles(page)).toEqual([
    'Summary',
    'Cohort and split',
    'ROC curve',
    'Precision and recall',
    'Calibration',
    'At the threshold',
    'Decision curve',
    'Baselines',
    'Models compared',
    'Training',
    'Attention over slices',
    'Reporting checklists',
    'What was run',
    'Warnings',
  ]);
  const { history: _, reachableAuc: __, ...least } = input;
  const small = renderReport({
    ...least,
    models: [input.models[0]!],
    attention: [],
    warnings: [],
    synthetic: false,
  });
  expect(titles(small)).not.toContain('Training');
  expect(titles(small)).not.toContain('Attention over slices');
  expect(small.includes('SYNTHETIC DATA')).toBe(false);
  expect(small.match(/undefined|NaN/)).toBeNull();
});

test('banners', () => {
  expect(page.includes('SYNTHETIC DATA')).toBe(true);
  expect(page.includes('Research use only')).toBe(true);
});

test('patients are never printed', () => expect(page.includes('patient-')).toBe(false));

test('text of the input cannot become HTML, in any field', () => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const hostile = renderReport({
    ...input,
    title: evil,
    target: evil,
    positiveClass: evil,
    cohort: { ...input.cohort, perSplit: input.cohort.perSplit.map((part) => ({ ...part, split: evil })) },
    models: input.models.map((model, i) => ({ ...model, name: `volume ${i} ${evil}`, description: evil })),
    threshold: { ...input.threshold, rule: evil },
    reachableAuc: { value: 0.9, description: evil },
    attention: input.attention.map((one) => ({ ...one, caseLabel: evil })),
    run: Object.fromEntries(Object.keys(input.run).map((key) => [`${key}${evil}`, evil])),
    warnings: [evil],
    notes: [evil],
  });
  expect(hostile.includes('<img')).toBe(false);
  expect(hostile.includes(evil)).toBe(false);
  expect(hostile.match(/<\/?[a-z]\w*/g)!.length).toBe(page.match(/<\/?[a-z]\w*/g)!.length);
});

test('tables have captions and scoped headers, pictures have text', () => {
  const tables = page.match(/<table/g)!.length;
  expect(page.match(/<caption>/g)!.length).toBe(tables);
  for (const svg of page.match(/<svg[^>]*>/g)!)
    expect(svg).toMatch(/role="img"[^>]*aria-label="[^"]+"|aria-hidden="true"/);
  expect(page.includes('<main>') && page.includes('<nav aria-label')).toBe(true);
  expect(page.match(/<h1/g)!.length).toBe(1);
});

test('downloads hold the numbers in full', () => {
  const address = page.match(/download="models.csv" href="data:text\/csv;charset=utf-8,([^"]*)"/)![1]!;
  const [header, first] = decodeURIComponent(address.replaceAll('&#39;', "'")).split('\r\n');
  expect(header).toMatch(/^model,rocAuc,rocAucLower,rocAucUpper,prAuc/);
  expect(first).toMatch(/^"LoRA \+ attention, three losses",0\.\d{6,}/);
  expect(
    toCsv(
      ['a', 'b'],
      [
        ['=1+1', 'x"y'],
        [-2, 'line\nbreak'],
      ],
    ),
  ).toBe('a,b\r\n\'=1+1,"x""y"\r\n-2,"line\nbreak"\r\n');
});

test('scores that are no probabilities leave calibration out with the reason', () => {
  const models = input.models.map((model) => ({ ...model, scores: model.scores.map((score) => 9 * score) }));
  expect(renderReport({ ...input, models }).match(/Calibration of .* is not defined/)).not.toBeNull();
});

test('the first model may be the only one, or the baseline, or perfect', () => {
  const main = input.models[0]!;
  const perfect = { ...main, name: 'perfect', scores: main.labels.map((label) => (label === 1 ? 0.9 : 0.1)) };
  const html = renderReport({ ...input, models: [perfect, { ...perfect, name: 'volume' }] });
  expect(html.includes('1.000 (1.000\u20131.000)')).toBe(true);
  expect(html.includes('Slope and intercept are not defined')).toBe(true);
  expect(html.match(/NaN|Infinity/)).toBeNull();
});

test('input that cannot be printed', () => {
  const main = input.models[0]!;
  expect(code({ models: [] })).toBe('INVALID_INPUT');
  expect(code({ models: [main, { ...main, labels: [...main.labels].reverse() }] })).toBe('LENGTH_MISMATCH');
  expect(
    code({ models: [main, { ...main, labels: main.labels.slice(1), scores: main.scores.slice(1) }] }),
  ).toBe('LENGTH_MISMATCH');
  const slice = { ...input.attention[0]!.slices[0]!, size: 7 };
  expect(code({ attention: [{ ...input.attention[0]!, slices: [slice] }] })).toBe('IMAGE_SIZE');
});
