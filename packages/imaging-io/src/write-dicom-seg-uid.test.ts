import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { derivedUid, sha256 } from './write-dicom-seg-uid.js';

test('SHA-256 equals the platform: every length around a block, and a long input', () => {
  const long = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7919) >> 3);
  for (const length of [...Array(200).keys(), 99_999, 100_000]) {
    const bytes = long.subarray(0, length);
    expect(Buffer.from(sha256(bytes)).toString('hex'), `${length}`).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    );
  }
});

test('UIDs are UUIDs of version 8 in decimal, of at most 44 characters', () => {
  const uids = Array.from({ length: 500 }, (_, at) => derivedUid('series', Uint8Array.of(at, at >> 8)));
  expect(new Set(uids).size).toBe(500);
  for (const uid of uids) {
    expect(uid).toMatch(/^2\.25\.[1-9]\d*$/);
    expect(uid.length).toBeLessThanOrEqual(44);
    const hexadecimal = BigInt(uid.slice(5)).toString(16).padStart(32, '0');
    expect(hexadecimal).toMatch(/^.{12}8.{3}[89ab].{15}$/);
  }
  expect(derivedUid('series', new Uint8Array(1))).not.toBe(derivedUid('instance', new Uint8Array(1)));
});
