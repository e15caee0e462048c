import { parseManifest } from '@onco-response/cohort';
import { expect, test } from 'vitest';
import { checkSubgroups, cohortValue, subgroupColumns } from './subgroups.js';

const { cases } = parseManifest(
  'patient_id,image,mask,label,site,grade\na,a.nii,a.nii,0,north,1\nb,b.nii,b.nii,1,south,3\nc,c.nii,c.nii,1,,\n',
);

test('site and clinical columns, with other words and cuts', () => {
  expect(
    subgroupColumns(
      cases,
      [{ column: 'site' }, { column: 'grade', name: 'Grade', values: { 3: 'high' }, cuts: [2] }],
      cohortValue,
    ),
  ).toEqual([
    { name: 'site', values: ['north', 'south', null] },
    { name: 'Grade', values: [1, 'high', null], cuts: [2] },
  ]);
});

test('a column that the table has not is refused with those it has', () => {
  expect(() => checkSubgroups([{ column: 'stage' }], cases)).toThrow(
    /names stage, .*columns there: site, grade/,
  );
});
