import { preset } from '@onco-response/tooling-build/tsup';

// Node cannot import tfjs-core's gradient files as they are published, so they are bundled into this package.
export default preset(['src/index.ts'], { noExternal: [/^@tensorflow\/tfjs-core\/dist\//] });
