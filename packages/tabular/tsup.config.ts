import { preset } from '@onco-response/tooling-build/tsup';

export default preset(['src/index.ts']);
