import { expect, test, vi } from 'vitest';
import { EXIT, Progress, reportError } from './node.js';

const marker = Symbol.for('onco-response.SampleError');

class SampleError extends Error {
  readonly [marker] = true;
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function printed(work: () => void): string {
  const lines: string[] = [];
  const spy = vi
    .spyOn(console, 'error')
    .mockImplementation((...parts) => void lines.push(parts.map(String).join(' ')));
  work();
  spy.mockRestore();
  return lines.join('\n');
}

test('an error of ours is one line with its code, and exit code 42', () => {
  let code: number | undefined;
  const text = printed(() => {
    code = reportError('onco-x', new SampleError('EMPTY_MASK', 'mask.nii.gz is empty: draw the lesion'));
  });
  expect(code).toBe(EXIT.permanent);
  expect(text).toBe('onco-x: [EMPTY_MASK] mask.nii.gz is empty: draw the lesion');
});

test('what another try may cure exits with 75', () => {
  printed(() => expect(reportError('onco-x', new SampleError('INTERRUPTED', 'stopped'))).toBe(75));
});

test("anything else is a defect with its stack, Node's own errors too", () => {
  const nodeError = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  let code: number | undefined;
  const text = printed(() => {
    code = reportError('onco-x', nodeError);
  });
  expect(code).toBe(EXIT.failed);
  expect(text).toContain('a defect of onco-response');
});

test('progress elsewhere than in a terminal prints a plain last line', () => {
  const text = printed(() => {
    const progress = new Progress('slices', 3);
    for (let i = 0; i < 3; i++) progress.advance();
    progress.stop();
  });
  expect(text).toMatch(/^slices 3\/3, 0 s, 0 s left$/);
});
