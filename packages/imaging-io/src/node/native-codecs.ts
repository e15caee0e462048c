/// <reference path="../codec-packages.d.ts" />
import { type CodecImport, useOpenJpeg } from '../codec-module.js';

const webAssembly: CodecImport = () => import('@cornerstonejs/codec-openjpeg/decodewasmjs');

/** JPEG 2000 as WebAssembly, which Node loads from its package. To be called in each thread that decodes. */
export function useNativeCodecs(): void {
  useOpenJpeg(webAssembly);
}
