import { crc32 as zlibCrc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { crc32 } from './crc32.js';
import { randomNumbers } from './test-files.js';

test('the checksum of zlib, for every length and alignment around the eight bytes of a step', () => {
  const random = randomNumbers(1);
  const bytes = Uint8Array.from({ length: 64 }, () => random(256));
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= 64; end++) {
      const part = bytes.subarray(start, end);
      expect(crc32(part)).toBe(zlibCrc32(part));
    }
  }
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926); // the check value of the definition
});
