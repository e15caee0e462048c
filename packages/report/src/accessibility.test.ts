import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ImpactValue } from 'axe-core';
import { expect, test } from 'vitest';
import { madeUpCase, madeUpFullReport } from './__fixtures__/made-up-full-report.js';
import { renderCaseReport, reportFiles } from './index.js';

/** `CHROMIUM` names one; else the first on the path. */
const browser =
  process.env.CHROMIUM ??
  (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((path) => existsSync(path));
if (browser === undefined) console.log('No Chromium was found (set CHROMIUM): axe was not run on the pages.');

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Fault {
  id: string;
  impact: ImpactValue;
  nodes: string[];
}

/** Serious and critical faults that axe finds with everything unfolded. */
function faults(page: string, scheme: 'light' | 'dark'): Fault[] {
  const folder = mkdtempSync(join(tmpdir(), 'onco-axe-'));
  try {
    const script = `${axe.replaceAll('</script', '<\\/script')};
axe.run(document,{resultTypes:['violations']}).then(({violations})=>{const out=document.createElement('pre');out.id='axe-result';
out.textContent=JSON.stringify(violations.map(({id,impact,nodes})=>({id,impact,nodes:nodes.slice(0,3).map((node)=>node.html.slice(0,200))})));document.body.append(out);});`;
    // The page's own policy lets no script run, which is what it is for.
    const open = page
      .replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
      .replaceAll('<details>', '<details open>')
      .replace('</body>', () => `<script>${script}</script></body>`);
    writeFileSync(join(folder, 'page.html'), open);
    const text = execFileSync(
      browser!,
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        `--user-data-dir=${join(folder, 'profile')}`,
        `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
        '--window-size=1280,900',
        '--virtual-time-budget=60000',
        '--dump-dom',
        join(folder, 'page.html'),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28, timeout: 110_000 },
    );
    const result = text.match(/<pre id="axe-result">([\s\S]*?)<\/pre>/)?.[1];
    if (result === undefined) throw new Error('axe gave no result');
    const decoded = result.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    return (JSON.parse(decoded) as Fault[]).filter(
      ({ impact }) => impact === 'serious' || impact === 'critical',
    );
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const bootstrap = { resamples: 50, seed: 3, level: 0.95 };
const files = () => reportFiles({ ...madeUpFullReport({ cases: 80, size: 8 }), bootstrap });

test.skipIf(browser === undefined)(
  'axe finds no serious fault in the report, light and dark',
  { timeout: 240_000 },
  () => {
    const page = files()['report.html']!;
    expect(faults(page, 'light')).toEqual([]);
    expect(faults(page, 'dark')).toEqual([]);
  },
);

test.skipIf(browser === undefined)('nor in a case report', { timeout: 240_000 }, () => {
  expect(faults(renderCaseReport(madeUpCase(8)), 'dark')).toEqual([]);
});

test.skipIf(browser === undefined)('in a model card it finds the one put there', { timeout: 240_000 }, () => {
  const bad = files()['model-card.html']!.replace('<h1>', '<img src="data:,"><h1>');
  expect(faults(bad, 'light').map(({ id }) => id)).toEqual(['image-alt']);
});
