// This package has no types; what is used of it is in codec-module.ts.
declare module '@cornerstonejs/codec-openjpeg/decode';
declare module '@cornerstonejs/codec-openjpeg/decodewasmjs';
