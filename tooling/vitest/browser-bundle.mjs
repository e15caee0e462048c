import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles a source for a browser, workspace packages included: fails where anything needs Node.
 * @param url of the entry: `new URL('./browser.ts', import.meta.url)`
 * @param external packages that are left out, as in esbuild
 */
export async function bundleForBrowser(url, external = []) {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(url)],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['onco-response-source'],
    external,
    logLevel: 'silent',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { code: outputFiles[0].text, imports };
}
