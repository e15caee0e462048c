import { testReadme } from '@onco-response/tooling-vitest/readme';

testReadme(import.meta.url);
