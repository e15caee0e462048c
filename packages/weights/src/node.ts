export { type FileSource, openFile } from './node/file-source.js';
export { type FileCheckpoint, openCheckpoint, openSafetensorsFile } from './node/open-checkpoint.js';
