import { expect, test } from 'vitest';
import { groupWarnings } from './group-warnings.js';

test('warnings that differ in numbers only become one line', () => {
  const lines = groupWarnings([
    { caseId: 'case-0001', text: 'the lesion has 5 slices' },
    { caseId: 'case-0002', text: 'the volume has 2 voxels' },
    { caseId: 'case-0003', text: 'the lesion has 7 slices' },
  ]);
  expect(lines).toEqual([
    '2 cases, such as case-0001: the lesion has 5 slices',
    'case-0002: the volume has 2 voxels',
  ]);
});
