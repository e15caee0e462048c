export { hashNnUnet, type NnUnetHash } from './node/hash-nnunet.js';
export { type LoadNnUnetOptions, loadNnUnet } from './node/load-nnunet.js';
