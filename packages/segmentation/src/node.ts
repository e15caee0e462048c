export { type LoadNnUnetOptions, loadNnUnet } from './node/load-nnunet.js';
