export { resampleInWorkers } from './resample-in-web-workers.js';
export type { ResampleInWorkersOptions } from './resample-on-pool.js';
