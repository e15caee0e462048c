import { expect, test } from 'vitest';
import { CohortError, parseManifest } from './index.js';

const header = 'patient_id,image,mask,label';
const refuse = (text: string) => {
  try {
    parseManifest(text);
  } catch (error) {
    if (CohortError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('the manifest was accepted');
};

test('reads required, optional and clinical columns', () => {
  const { cases, clinicalColumns } = parseManifest(
    '\uFEFFpatient_id,image,mask,label,site,split,time_point,age,figo\r\n' +
      'p1, a.nii.gz ,a-mask.nii.gz,1,Milan,train,T0,61.5,IIIC\r\n' +
      '\r\n' +
      'p2,b.nii.gz,,0,,test,,,2\r\n',
  );
  expect(clinicalColumns).toEqual(['age', 'figo']);
  expect(cases).toEqual([
    {
      caseId: 'case-0001',
      line: 2,
      patientId: 'p1',
      image: 'a.nii.gz',
      mask: 'a-mask.nii.gz',
      label: 1,
      site: 'Milan',
      split: 'train',
      timePoint: 'T0',
      clinical: { age: 61.5, figo: 'IIIC' },
    },
    {
      caseId: 'case-0002',
      line: 4,
      patientId: 'p2',
      image: 'b.nii.gz',
      mask: null,
      label: 0,
      site: null,
      split: 'test',
      timePoint: null,
      clinical: { age: null, figo: '2' },
    },
  ]);
});

test('several lesions in one image of one patient are several cases', () => {
  const { cases } = parseManifest(`${header}\np1,a.nii,m1.nii,0\np1,a.nii,m2.nii,1\n`);
  expect(cases.map(({ label }) => label)).toEqual([0, 1]);
});

test.each([
  ['EMPTY', undefined, `${header}\n`],
  ['MISSING_COLUMN', 1, ''],
  ['MISSING_COLUMN', 1, 'patient_id,image,label\np1,a.nii,1\n'],
  ['MISSING_COLUMN', 1, 'patient_id;image;mask;label\np1;a.nii;;1\n'],
  ['DUPLICATE_COLUMN', 1, `${header},age,age\np1,a.nii,,1,4,5\n`],
  ['CSV', 3, `${header}\np1,a.nii,,1\np2,b.nii,1\n`],
  ['CSV', 2, `${header}\np1,"a.nii,,1\n`],
  ['MISSING_VALUE', 2, `${header}\n,a.nii,,1\n`],
  ['MISSING_VALUE', 3, `${header}\np1,a.nii,,1\np2,,,1\n`],
  ['LABEL_NOT_BINARY', 2, `${header}\np1,a.nii,,2\n`],
  ['LABEL_NOT_BINARY', 2, `${header}\np1,a.nii,,\n`],
  ['LABEL_NOT_BINARY', 4, `${header}\np1,"two\nlines.nii",,1\np2,a.nii,,yes\n`],
  ['UNKNOWN_SPLIT', 2, `${header},split\np1,a.nii,,1,val\n`],
  ['DUPLICATE_CASE', 3, `${header}\np1,a.nii,,1\np1,a.nii,,1\n`],
  ['IMAGE_OF_TWO_PATIENTS', 3, `${header}\np1,a.nii,m1.nii,1\np2,a.nii,m2.nii,1\n`],
  ['PATIENT_IN_TWO_SPLITS', 4, `${header},split\np1,a.nii,,1,train\np2,b.nii,,1,test\np1,c.nii,,1,test\n`],
])('%s in line %s', (code, line, text) => {
  const error = refuse(text);
  expect([error.code, error.line]).toEqual([code, line]);
});

test('a message names the line and no patient', () => {
  const error = refuse(`${header}\nROSSI-MARIA,a.nii,,maybe\n`);
  expect(error.message).toBe('Line 2 of the manifest: label is "maybe"; it has to be 0 or 1.');
  const twice = refuse(`${header}\nROSSI-MARIA,a.nii,,1\nROSSI-MARIA,a.nii,,1\n`);
  expect(twice.message).toBe('Lines 2 and 3 of the manifest name the same image and mask.');
});
