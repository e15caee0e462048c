import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { bundleForBrowser } from '@onco-response/tooling-vitest/browser-bundle';
import { expect, test } from 'vitest';

const index = new URL('./index.ts', import.meta.url);
const chromium = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);
if (!chromium) console.log('skipped: the README in a browser (no Chromium; set CHROMIUM to one)');

test('everything is below 40 kB gzipped, unminified, and nothing of Node is needed', async () => {
  const { code, imports } = await bundleForBrowser(index);
  expect(imports).toEqual([]);
  expect(gzipSync(code).length).toBeLessThan(40_000);
});

test.skipIf(!chromium)(
  'the example of the README prints in Chromium what it says',
  async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const [, example = ''] = readme.match(/^```ts\n([\s\S]*?)^```$/m) ?? [];
    const said = [...example.matchAll(/console\.log\(.*\);\s*\/\/ ?(.*)$/gm)].map((match) =>
      match[1]?.trim(),
    );
    const folder = await mkdtemp(join(tmpdir(), 'onco-metrics-'));
    try {
      const source = join(folder, 'example.ts');
      await writeFile(source, example.replace('@onco-response/metrics', fileURLToPath(index)));
      const { code } = await bundleForBrowser(pathToFileURL(source));
      const page = join(folder, 'page.html');
      await writeFile(
        page,
        `<!doctype html><meta charset="utf-8"><pre id="printed"></pre><script type="module">
const shown = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
console.log = (...values) => { document.getElementById('printed').append(values.map(shown).join(' ') + '\\n'); };
${code}</script>`,
      );
      const flags = [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        `--user-data-dir=${join(folder, 'profile')}`,
      ];
      const dom = execFileSync(
        chromium as string,
        [...flags, '--virtual-time-budget=5000', '--dump-dom', pathToFileURL(page).href],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 110_000 },
      );
      const printed = dom
        .match(/<pre id="printed">([\s\S]*?)<\/pre>/)?.[1]
        ?.trim()
        .split('\n');
      expect(said.length).toBeGreaterThan(3);
      expect(printed).toEqual(said);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
  120_000,
);
