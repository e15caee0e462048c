export { readManifest } from './node/read-manifest.js';
export {
  type PhantomCohort,
  type PhantomProgress,
  type WritePhantomOptions,
  writePhantomCohort,
} from './node/write-phantom-cohort.js';
