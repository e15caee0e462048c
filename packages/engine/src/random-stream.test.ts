import { expect, test } from 'vitest';
import { RandomStream } from './random-stream.js';

const draw = (stream: RandomStream, count: number) => Array.from({ length: count }, () => stream.uniform());

test('same seed and purpose give the same numbers, another purpose others', () => {
  expect(draw(new RandomStream(7, 'order'), 5)).toEqual(draw(new RandomStream(7, 'order'), 5));
  expect(draw(new RandomStream(7, 'order'), 5)).not.toEqual(draw(new RandomStream(7, 'dropout'), 5));
  expect(draw(new RandomStream(7, 'order'), 5)).not.toEqual(draw(new RandomStream(8, 'order'), 5));
});

test('a restored stream goes on from the same point, kept normal included', () => {
  const stream = new RandomStream(1, 'noise');
  stream.normal();
  const state = JSON.parse(JSON.stringify(stream.state()));
  const expected = [stream.normal(), stream.uniform(), stream.normal()];
  const other = new RandomStream(99, 'else');
  other.restore(state);
  expect([other.normal(), other.uniform(), other.normal()]).toEqual(expected);
});

test('uniform and normal have their moments; streams of two purposes are uncorrelated', () => {
  const count = 100_000;
  const a = new RandomStream(3, 'a');
  const b = new RandomStream(3, 'b');
  let sum = 0;
  let squares = 0;
  let normals = 0;
  let normalSquares = 0;
  let cross = 0;
  for (let i = 0; i < count; i++) {
    const u = a.uniform();
    sum += u;
    squares += u * u;
    cross += (u - 0.5) * (b.uniform() - 0.5);
    const n = a.normal();
    normals += n;
    normalSquares += n * n;
  }
  // five standard errors of each mean over 100,000 draws
  expect(Math.abs(sum / count - 1 / 2)).toBeLessThan(0.0046);
  expect(Math.abs(squares / count - 1 / 3)).toBeLessThan(0.0048);
  expect(Math.abs(normals / count)).toBeLessThan(0.016);
  expect(Math.abs(normalSquares / count - 1)).toBeLessThan(0.023);
  expect(Math.abs(cross / count)).toBeLessThan(0.0014);
});

test('shuffle keeps every item, leaves its input alone and reaches every order alike', () => {
  const stream = new RandomStream(5, 'order');
  const items = [1, 2, 3];
  const seen = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const key = stream.shuffle(items).join('');
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  expect(items).toEqual([1, 2, 3]);
  expect(seen.size).toBe(6);
  for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
