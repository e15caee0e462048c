import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { type Block, wholeRegion } from './block.js';
import { resampleInt16 } from './linear-kernel.js';
import { resampleAligned } from './resample-aligned.js';
import { planResample, regionTaps } from './resample-plan.js';
import type { Vec3, Volume } from './types.js';

test('the binary is the text compiled (`vitest run -u` writes it anew)', async () => {
  const text = await readFile(new URL('linear-kernel.wat', import.meta.url), 'utf8');
  const { buffer } = (await wabt()).parseWat('linear-kernel.wat', text).toBinary({});
  const base64 = Buffer.from(buffer).toString('base64');
  await expect(
    `/** \`linear-kernel.wat\` compiled, in base64; \`vitest run -u linear-kernel\` writes it. */\nexport const LINEAR_KERNEL_BINARY =\n  '${base64}';\n`,
  ).toMatchFileSnapshot('linear-kernel-binary.ts');
});

describe('gives the bits that JavaScript gives', () => {
  const volume = (size: Vec3, spacing: Vec3): Volume<Int16Array> => ({
    data: Int16Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => ((at * 7919) % 65536) - 32768),
    size,
    spacing,
    origin: [3, -4, 5],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  });
  const source = volume([37, 29, 11], [0.7, 0.9, 2.5]);
  test.each<[string, Volume<Int16Array>, Parameters<typeof planResample>[1]]>([
    ['finer', source, { spacing: [0.31, 0.4, 1.1] }],
    ['coarser', source, { spacing: [1.3, 1.7, 4] }],
    ['the same grid', source, { spacing: [0.7, 0.9, 2.5] }],
    ['axes of one voxel', volume([1, 1, 1], [1, 1, 1]), { spacing: [0.5, 0.5, 0.5] }],
    ['partly outside', source, { like: { ...volume([40, 40, 20], [1, 1, 1]), origin: [-5, -10, 2] } }],
    ['wholly outside', source, { like: { ...volume([4, 4, 4], [1, 1, 1]), origin: [900, 900, 900] } }],
  ])('%s', (_, from, target) => {
    const plan = planResample(from, target, {});
    const whole = wholeRegion(plan.grid);
    const taps = regionTaps(plan, whole);
    const block: Block<Int16Array> = { data: from.data, ...wholeRegion(from) };
    const empty = (): Block<Float32Array> => ({
      data: new Float32Array(plan.grid.size[0] * plan.grid.size[1] * plan.grid.size[2]),
      ...whole,
    });
    const [expected, found] = [empty(), empty()];
    resampleAligned(block, expected, whole, taps);
    expect(resampleInt16(block, found, whole, taps)).toBe(true);
    expect(new Uint32Array(found.data.buffer)).toEqual(new Uint32Array(expected.data.buffer));
  });
});
