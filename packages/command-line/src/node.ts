export { EXIT } from './node/exit-codes.js';
export { interruption } from './node/interruption.js';
export { Progress } from './node/progress.js';
export { reportError } from './node/report-error.js';
