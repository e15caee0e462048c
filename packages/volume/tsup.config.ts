import { preset } from '@onco-response/tooling-build/tsup';

export default preset({
  index: 'src/index.ts',
  node: 'src/node.ts',
  browser: 'src/browser.ts',
  'resample-worker': 'src/resample-worker.ts',
  'resample-thread-worker': 'src/node/resample-thread-worker.ts',
});
