import { preset } from '@onco-response/tooling-vitest';
import { defineProject } from 'vitest/config';

export default defineProject(preset(import.meta.url));
