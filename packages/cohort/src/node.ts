export { readManifest } from './node/read-manifest.js';
export { type PhantomCohort, type PhantomProgress, writePhantomCohort, type WritePhantomOptions } from './node/write-phantom-cohort.js';
