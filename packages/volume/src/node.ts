export { resampleInWorkers } from './node/resample-in-workers.js';
export type { ResampleInWorkersOptions } from './resample-on-pool.js';
