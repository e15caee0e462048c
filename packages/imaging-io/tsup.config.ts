import { readFile } from 'node:fs/promises';
import { preset } from '@onco-response/tooling-build/tsup';

export default preset(
  {
    index: 'src/index.ts',
    browser: 'src/browser.ts',
    node: 'src/node.ts',
    'reading-worker': 'src/node/reading-worker.ts',
  },
  {
    // the codec's plain JavaScript asks for Node's modules where it runs in Node, at which bundlers for browsers stop
    noExternal: [/codec-openjpeg\/decode$/],
    // it has 0.5 MB as it comes and 2.6 MB with a line for each statement
    esbuildOptions(options) {
      options.minifyWhitespace = true;
    },
    esbuildPlugins: [
      {
        name: 'codec-without-node',
        setup(build) {
          build.onResolve({ filter: /^(fs|path|crypto)$/ }, ({ path }) => ({ path, namespace: 'absent' }));
          build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
          // modules have no __dirname, which it looks for in Node
          build.onLoad({ filter: /openjpegjs_decode\.js$/ }, async ({ path }) => ({
            contents: `var __dirname = '';${await readFile(path, 'utf8')}`,
          }));
        },
      },
    ],
  },
);
