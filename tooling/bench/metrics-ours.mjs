/** Our side of `pnpm bench metrics`: one task in one process, its time and what it found as JSON on stdout. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrapCi, delongTest, rocAuc } from '@onco-response/metrics';

const [task, data] = process.argv.slice(2);
const read = (name) => {
  const bytes = readFileSync(join(data, `metrics-${name}.bin`));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
};
const labels = new Uint8Array(read('labels'));
const [a, b] = [new Float64Array(read('a')), new Float64Array(read('b'))];
const few = 10_000;

const start = performance.now();
const found = task.startsWith('DeLong') ? delong() : bootstrap();
console.log(JSON.stringify({ milliseconds: performance.now() - start, found }));

function delong() {
  const { aucA, aucB, z, p } = delongTest(labels, a, b);
  return [aucA, aucB, z, p];
}

function bootstrap() {
  const options = { resamples: 2000, seed: 1, stratified: true };
  const { estimate, lower, upper } = bootstrapCi(rocAuc, labels.slice(0, few), a.slice(0, few), options);
  return [estimate, lower, upper];
}
