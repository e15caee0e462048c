import { rocAuc } from '@onco-response/metrics';
import { beforeAll, describe, expect, test } from 'vitest';
import { madeUpCase, madeUpFullReport } from './__fixtures__/made-up-full-report.js';
import { type CaseReportInput, ReportError, renderCaseReport, reportCsv, reportFiles } from './index.js';

const input = {
  ...madeUpFullReport({ cases: 120, size: 24 }),
  bootstrap: { resamples: 40, seed: 3, level: 0.95 },
};
let files: Record<string, string>;
let page: string;
beforeAll(() => {
  files = reportFiles(input, { version: '1.2.3' });
  page = files['report.html']!;
});

const rows = (csv: string) =>
  csv
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));

describe('every part of the report', () => {
  test('sections', () => {
    const titles = [...page.matchAll(/<h2 id="[^"]*">([^<]*)</g)].map((match) => match[1]);
    for (const title of [
      'Decision curve',
      'Baselines',
      'Subgroups and fairness',
      'Ablations',
      'Learning curve',
      'Explanation',
      'Robustness',
      'Reporting checklists',
    ]) {
      expect(titles).toContain(title);
    }
  });
  test('nothing is fetched, nothing runs, nothing is undefined, ids are unique, no patient is named', () => {
    for (const [path, text] of Object.entries(files).filter(([path]) => path.endsWith('.html'))) {
      expect(text.match(/<script|<link|<iframe|@import|url\((?!#)/gi), path).toBeNull();
      expect(text.match(/NaN|undefined|Infinity|\[object/), path).toBeNull();
      expect(text.includes('patient-'), path).toBe(false);
      const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]!);
      expect(new Set(ids).size, path).toBe(ids.length);
      for (const [, target] of text.matchAll(/(?:href|aria-labelledby)="#?([a-z][\w-]*)"/g)) {
        expect(ids, path).toContain(target);
      }
    }
  });
  test('research use only, on every page and on every printed sheet', () => {
    for (const [path, text] of Object.entries(files)) {
      if (/\.(html|md)$/.test(path)) expect(text, path).toContain('Research use only');
      if (path.endsWith('.html'))
        expect(text, path).toMatch(/@page\{[^}]*@bottom-center\{content:"Research use only/);
    }
    expect(JSON.parse(files['metadata.json']!).intended_use).toMatch(/^Research use only/);
  });
  test('headings go down one level at a time', () => {
    const levels = [...page.matchAll(/<h([1-6])[ >]/g)].map((match) => Number(match[1]));
    levels.slice(1).forEach((level, i) => {
      expect(level - levels[i]!).toBeLessThanOrEqual(1);
    });
  });
});

describe('numbers beside the plots', () => {
  test('each download of the page is a file with the same bytes', () => {
    const links = [...page.matchAll(/download="([^"]+)" href="data:text\/csv;charset=utf-8,([^"]*)"/g)];
    expect(links.length).toBeGreaterThan(25);
    expect(new Set(links.map((link) => link[1])).size).toBe(links.length);
    for (const [, name, text] of links) {
      expect(files[`csv/${name}`]).toBe(decodeURIComponent(text!.replaceAll('&#39;', "'")));
    }
    expect(Object.keys(reportCsv(input)).sort()).toEqual(links.map((link) => link[1]!).sort());
  });
  test('subgroups are recomputed from labels, scores and the column', () => {
    const main = input.models[0]!;
    const [header, ...lines] = rows(files['csv/subgroup-1-scanner.csv']!);
    const column = input.subgroups![0]!;
    for (const line of lines) {
      const at = (name: string) => line[header!.indexOf(name)]!;
      const own = column.values.flatMap((value, i) => (value === line[0] ? [i] : []));
      expect(Number(at('cases'))).toBe(own.length);
      expect(Number(at('rocAuc'))).toBe(
        rocAuc(
          own.map((i) => main.labels[i]!),
          own.map((i) => main.scores[i]!),
        ),
      );
      const positives = own.filter((i) => main.labels[i] === 1);
      const called = positives.filter((i) => main.scores[i]! >= input.threshold.value);
      expect(Number(at('sensitivity'))).toBe(called.length / positives.length);
    }
  });
  test('a group under the minimum is counted and not measured', () => {
    const [header, ...lines] = rows(files['csv/subgroup-3-stage.csv']!);
    const small = lines.filter((line) => Number(line[header!.indexOf('cases')]) < 20);
    expect(small.length).toBeGreaterThan(0);
    for (const line of small) expect(line[header!.indexOf('rocAuc')]).toBe('');
  });
  test('baselines hold every model with that role, in paired differences', () => {
    const [header, ...lines] = rows(files['csv/baselines.csv']!);
    expect(lines.map((line) => line[1])).toEqual(['volumeOnly', 'clinicalOnly', 'volumeAndClinical']);
    const main = input.models[0]!;
    const clinical = input.models[3]!;
    expect(Number(lines[1]![header!.indexOf('difference')])).toBeCloseTo(
      rocAuc(main.labels, main.scores) - rocAuc(main.labels, clinical.scores),
      12,
    );
  });
});

test('text of the input cannot become HTML or Markdown', () => {
  const evil = '<img src=x onerror=alert(1)>"\'&|`*';
  const hostile = reportFiles({
    ...input,
    title: evil,
    models: input.models.map((model, i) => ({ ...model, name: `${i} ${evil}`, description: evil })),
    subgroups: [{ name: evil, values: input.subgroups![0]!.values.map((value) => `${value}${evil}`) }],
    decision: { action: evil, reason: evil },
    ablations: [{ name: evil, description: evil, rocAuc: { estimate: 0.7 } }],
    stress: [{ ...input.stress![0]!, name: evil }],
    outOfDistribution: { ...input.outOfDistribution!, method: evil, rule: evil },
    conformal: { ...input.conformal!, method: evil },
    explanation: {
      maps: [{ ...input.explanation!.maps![0]!, caseLabel: evil, method: evil }],
      nearest: [{ caseLabel: evil, neighbours: [{ caseLabel: evil, label: 1, similarity: 1 }] }],
      importance: [{ variable: evil, aucDrop: 0.1 }],
    },
    study: { limitations: evil, authors: evil, background: evil },
    checklists: { tripodAi: { '2': evil } },
    run: { [evil]: evil },
  });
  for (const [path, text] of Object.entries(hostile)) {
    if (/\.(html|md)$/.test(path)) expect(text.includes('<img src=x'), path).toBe(false);
  }
  const table = hostile['checklists.md']!.split('\n').filter((line) => line.startsWith('| '));
  for (const line of table) expect(line.match(/(?<!\\)\|/g)!.length).toBeOneOf([5, 6, 7]);
});

test('without baselines the report says which are missing', () => {
  const alone = reportFiles({ ...input, models: [input.models[0]!] })['report.html']!;
  expect(alone).toContain('lesion volume only, clinical variables only, volume and clinical variables');
});

test('scores that are no probabilities have no decision curve', () => {
  const models = input.models.map((model) => ({ ...model, scores: model.scores.map((score) => 9 * score) }));
  expect(reportFiles({ ...input, models })['report.html']).toMatch(/The decision curve of .* is not defined/);
});

describe('a case report', () => {
  const one = madeUpCase(24);
  const text = renderCaseReport(one);
  test('says what a reader needs', () => {
    for (const part of [
      'Research use only',
      'SYNTHETIC DATA',
      '0.81',
      'about 81 are expected',
      '19 were positive (79%',
      'sensitivity of at least 0.80',
      '84.2 mL',
      'Unusual volume',
      'Unlike the training cases',
      'positive alone',
      'Slices and attention',
    ]) {
      expect(text).toContain(part);
    }
    expect(text.match(/NaN|undefined|<script/)).toBeNull();
    expect(renderCaseReport(one)).toBe(text);
  });
  test('an uncalibrated score is no probability, and an unknown distribution is said', () => {
    const { distribution: _, ...rest } = one;
    const plain = renderCaseReport({ ...rest, calibration: { calibrated: false }, warnings: [], slices: [] });
    expect(plain).toContain('was not calibrated');
    expect(plain).not.toContain('are expected to be positive');
    expect(plain).toContain('Nobody measured how this case compares');
    expect(plain).not.toContain('Slices and attention');
  });
  test('input that cannot be printed', () => {
    const code = (change: Partial<CaseReportInput>) => {
      try {
        renderCaseReport({ ...one, ...change });
      } catch (error) {
        return ReportError.isInstance(error) && error.code;
      }
      return 'no error';
    };
    expect(code({ probability: 1.2 })).toBe('INVALID_INPUT');
    expect(code({ probability: Number.NaN })).toBe('INVALID_INPUT');
    expect(code({ lesion: { volumeMm3: -1 } })).toBe('INVALID_INPUT');
    expect(code({ slices: [{ ...one.slices[0]!, size: 7 }] })).toBe('IMAGE_SIZE');
    expect(
      code({
        explanation: {
          maps: [{ caseLabel: 'case 1', method: 'x', sliceIndex: 1, image: Uint8Array.of(1, 2, 3) }],
        },
      }),
    ).toBe('INVALID_INPUT');
  });
});
