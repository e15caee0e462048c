/**
 * Registers the gradient of every kernel that tfjs-core differentiates. tfjs-core alone registers none, and Node's ES
 * module loader cannot import this file of it as published (no file extensions inside), so tsup bundles it here.
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
