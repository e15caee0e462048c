import { preset } from '@onco-response/tooling-build/tsup';

export default preset({ index: 'src/index.ts', node: 'src/node.ts' });
