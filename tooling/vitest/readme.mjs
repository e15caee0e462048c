import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, test, vi } from 'vitest';

/**
 * Declares one test per ```ts block of the package's README: the block runs as printed, and each
 * `console.log(...); // text` has to print that text (a comment may also stand on the lines after the call).
 * @param testUrl `import.meta.url` of `src/readme.test.ts`
 */
export function testReadme(testUrl) {
  const root = dirname(dirname(fileURLToPath(testUrl)));
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
  test('README has an example', () => expect(blocks.length).toBeGreaterThan(0));
  blocks.forEach((block, index) => {
    test(`README example ${index + 1} runs and prints what it says`, async () => {
      const folder = join(root, '.readme');
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${basename(root)}-${index + 1}-${process.pid}.ts`);
      writeFileSync(file, block);
      const printed = [];
      const spy = vi
        .spyOn(console, 'log')
        .mockImplementation((...values) => printed.push(values.map(show).join(' ')));
      try {
        await import(/* @vite-ignore */ pathToFileURL(file).href);
      } finally {
        spy.mockRestore();
        rmSync(file, { force: true });
      }
      const expected = [...block.matchAll(/console\.log\(.*\);\s*\/\/ ?(.*)$/gm)].map((match) =>
        match[1].trim(),
      );
      expect(expected.length, 'an example shows what it prints: console.log(value); // text').toBeGreaterThan(
        0,
      );
      expect(printed).toEqual(expected);
    });
  });
}

function show(value) {
  return typeof value === 'string'
    ? value
    : ArrayBuffer.isView(value)
      ? JSON.stringify([...value])
      : JSON.stringify(value);
}
