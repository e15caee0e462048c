import { type ImageInput, withSource } from './byte-source.js';
import { chooseSeries } from './dicom-choose.js';
import type { DataSet } from './dicom-dataset.js';
import { readDicomHeader } from './dicom-header.js';
import { scanDicom } from './dicom-scan.js';
import { fail, itemsOf, knownCharacterSet, textOf, withCodedErrors } from './dicom-seg-object.js';
import type { DicomFile } from './dicom-slice.js';
import type { Reading } from './reading.js';
import { coded, type Element, sequence, text } from './write-dicom-seg-elements.js';

/** What a segmentation takes over from one file of the series it was drawn on. */
export interface SegSource {
  readonly image: DicomFile;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyUid: string;
  readonly characterSet: string;
  /** Patient, study and frame of reference, as they are in the file: tag, VR, bytes. */
  readonly attributes: readonly CopiedAttribute[];
  /** Why and how the patient was made anonymous, as coded concepts. */
  readonly deidentification: Element | undefined;
  /** Offset from UTC as in `+0100`; empty where the file does not say. */
  readonly timezone: string;
  readonly seriesNumber: string;
}

export interface CopiedAttribute {
  readonly tag: number;
  readonly vr: string;
  readonly bytes: Uint8Array;
  /** The same text in UTF-8. */
  readonly utf8: string;
}

/** Patient, clinical trial, study and frame of reference (PS3.3 C.7.1, C.7.2, C.7.4.1), and lossy compression. */
const COPIED: readonly (readonly [tag: number, vr: string])[] = [
  [0x00080020, 'DA'], // StudyDate
  [0x00080030, 'TM'], // StudyTime
  [0x00080050, 'SH'], // AccessionNumber
  [0x00080090, 'PN'], // ReferringPhysicianName
  [0x00080201, 'SH'], // TimezoneOffsetFromUTC
  [0x00081030, 'LO'], // StudyDescription
  [0x00100010, 'PN'], // PatientName
  [0x00100020, 'LO'], // PatientID
  [0x00100021, 'LO'], // IssuerOfPatientID
  [0x00100030, 'DA'], // PatientBirthDate
  [0x00100032, 'TM'], // PatientBirthTime
  [0x00100040, 'CS'], // PatientSex
  [0x00101010, 'AS'], // PatientAge
  [0x00101020, 'DS'], // PatientSize
  [0x00101030, 'DS'], // PatientWeight
  [0x00102160, 'SH'], // EthnicGroup
  [0x00120010, 'LO'], // ClinicalTrialSponsorName
  [0x00120020, 'LO'], // ClinicalTrialProtocolID
  [0x00120021, 'LO'], // ClinicalTrialProtocolName
  [0x00120030, 'LO'], // ClinicalTrialSiteID
  [0x00120031, 'LO'], // ClinicalTrialSiteName
  [0x00120040, 'LO'], // ClinicalTrialSubjectID
  [0x00120042, 'LO'], // ClinicalTrialSubjectReadingID
  [0x00120050, 'LO'], // ClinicalTrialTimePointID
  [0x00120051, 'ST'], // ClinicalTrialTimePointDescription
  [0x00120062, 'CS'], // PatientIdentityRemoved
  [0x00120063, 'LO'], // DeidentificationMethod
  [0x0020000d, 'UI'], // StudyInstanceUID
  [0x00200010, 'SH'], // StudyID
  [0x00200052, 'UI'], // FrameOfReferenceUID
  [0x00201040, 'LO'], // PositionReferenceIndicator
  [0x00282110, 'CS'], // LossyImageCompression
  [0x00282112, 'DS'], // LossyImageCompressionRatio
  [0x00282114, 'CS'], // LossyImageCompressionMethod
];

/** Type 2: there, though perhaps empty. */
const ALWAYS = new Set([
  0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00200010,
  0x00201040,
]);

const REQUIRED = {
  StudyInstanceUID: 'x0020000d',
  SeriesInstanceUID: 'x0020000e',
  FrameOfReferenceUID: 'x00200052',
  SOPClassUID: 'x00080016',
  SOPInstanceUID: 'x00080018',
} as const;

/**
 * What a segmentation takes over from the files of the one series it was drawn on. Only headers are read.
 * @throws ImagingError MISSING_ATTRIBUTE (no UID to refer to), SEVERAL_SERIES, and those of reading DICOM headers
 */
export async function segSourcesOf(
  input: ImageInput,
  rules: { seriesUid?: string },
  reading: Reading,
): Promise<SegSource[]> {
  const { files } = await scanDicom(input.files(), reading);
  const sources: SegSource[] = [];
  for (const image of chooseSeries(files, input.name, rules).chosen) {
    const header = await withSource(image.source, (source) => readDicomHeader(source, reading.expander));
    // undefined only where the file was changed meanwhile
    if (header) sources.push(withCodedErrors(image.file, () => sourceOf(header.data, image)));
  }
  return sources;
}

function sourceOf(data: DataSet, image: DicomFile): SegSource {
  const uid = (tag: string): string => data.string(tag) ?? '';
  const missing = Object.entries(REQUIRED).filter(([, tag]) => uid(tag) === '');
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ');
    fail('MISSING_ATTRIBUTE', `${image.file} has no ${names}, by which a segmentation refers to its image`);
  }
  const characterSet = uid('x00080005');
  return {
    image,
    sopClassUid: uid(REQUIRED.SOPClassUID),
    sopInstanceUid: uid(REQUIRED.SOPInstanceUID),
    studyUid: uid(REQUIRED.StudyInstanceUID),
    characterSet,
    attributes: attributesOf(data, characterSet),
    deidentification: deidentificationOf(data),
    timezone: uid('x00080201'),
    seriesNumber: uid('x00200011'),
  };
}

function attributesOf(data: DataSet, characterSet: string): CopiedAttribute[] {
  return COPIED.flatMap(([tag, vr]) => {
    const key = `x${tag.toString(16).padStart(8, '0')}`;
    const element = data.elements[key];
    if (!element?.length && !ALWAYS.has(tag)) return [];
    // a copy: the file's bytes must not stay in memory for it
    const bytes =
      element === undefined
        ? new Uint8Array(0)
        : data.byteArray.slice(element.dataOffset, element.dataOffset + element.length);
    return [{ tag, vr, bytes, utf8: textOf(data, key, characterSet) }];
  });
}

function deidentificationOf(data: DataSet): Element | undefined {
  const items = itemsOf(data, 'x00120064').map((item) =>
    (['x00080100', 'x00080102', 'x00080104'] as const).map((tag) => item.string(tag) ?? ''),
  );
  if (items.length === 0) return undefined;
  return sequence(
    0x00120064,
    items.map(([value = '', scheme = '', meaning = '']) => [
      text(0x00080100, 'SH', value),
      text(0x00080102, 'SH', scheme),
      text(0x00080104, 'LO', meaning),
    ]),
  );
}

/**
 * The elements that a segmentation shares with its image. They keep their bytes and character set, unless the
 * segmentation's own `texts` need UTF-8.
 * @throws ImagingError UNSUPPORTED where the image's texts cannot be put in UTF-8
 */
export function sharedElements(source: SegSource, texts: readonly string[], name: string): Element[] {
  const ascii = texts.every((value) => /^[\x20-\x7e]*$/.test(value));
  const { characterSet, attributes, deidentification } = source;
  if (!ascii && characterSet !== '' && characterSet !== 'ISO_IR 6' && !knownCharacterSet(characterSet)) {
    fail('UNSUPPORTED', `${name}: the image's character set allows ASCII only in names of segments`);
  }
  const set = ascii ? characterSet : 'ISO_IR 192';
  return [
    ...(set === '' ? [] : [text(0x00080005, 'CS', set)]),
    ...attributes.map(({ tag, vr, bytes, utf8 }) => text(tag, vr, ascii ? bytes : utf8)),
    ...(deidentification === undefined ? [] : [deidentification]),
    ...(attributes.some(({ tag }) => tag === 0x00282110) ? [] : [text(0x00282110, 'CS', '00')]),
  ];
}

/** The concept that says what a referenced image was used for. */
export const SOURCE_PURPOSE = coded(0x0040a170, {
  value: '121322',
  scheme: 'DCM',
  meaning: 'Source image for image processing operation',
});
