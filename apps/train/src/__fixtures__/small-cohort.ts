import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RandomStream } from '@onco-response/engine';
import { writeVolume } from '@onco-response/imaging-io/node';
import { createVolume, type Vec3 } from '@onco-response/volume';

/** A random-weight DINOv2 of three blocks, small enough for tests. */
export const tinyEncoder = fileURLToPath(new URL('../../../../packages/encoder/src/__fixtures__/dinov2-tiny', import.meta.url));

const SIZE: Vec3 = [24, 24, 6];
const SPACING: Vec3 = [2, 2, 4];

/** One synthetic case: noise, and a lesion that is brighter and striped where the label is 1. */
async function writeSmallCase(folder: string, name: string, label: number): Promise<void> {
  const random = new RandomStream(5, name);
  const [nx, ny, nz] = SIZE;
  const data = new Int16Array(nx * ny * nz);
  const lesion = new Uint8Array(data.length);
  const radius = 5 + 2 * random.uniform();
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const at = i + nx * (j + ny * k);
        const inside = k > 0 && k < nz - 1 && (i - 12) ** 2 + (j - 11) ** 2 < radius ** 2;
        lesion[at] = inside ? 1 : 0;
        const stripe = inside && label === 1 && i % 4 < 2 ? 120 : 0;
        data[at] = Math.round(20 + 40 * random.normal() + stripe);
      }
    }
  }
  await writeVolume(join(folder, `${name}-image.nii.gz`), createVolume({ data, size: SIZE, spacing: SPACING }));
  await writeVolume(join(folder, `${name}-mask.nii.gz`), createVolume({ data: lesion, size: SIZE, spacing: SPACING }));
}

/** A small synthetic cohort, its cohort.csv and a study that trains on it in seconds; returns the study's path. */
export async function writeSmallStudy(folder: string, { cases = 36, epochs = 4 } = {}): Promise<string> {
  await mkdir(folder, { recursive: true });
  const rows = ['patient_id,image,mask,label'];
  for (let i = 0; i < cases; i++) {
    const name = `synthetic-${i}`;
    await writeSmallCase(folder, name, i % 2);
    rows.push(`p${i},${name}-image.nii.gz,${name}-mask.nii.gz,${i % 2}`);
  }
  await writeFile(join(folder, 'cohort.csv'), `${rows.join('\n')}\n`);
  const study = join(folder, 'study.yaml');
  await writeFile(
    study,
    `name: small synthetic study
positiveClass: striped (synthetic)
target: Whether a synthetic lesion is striped.
cohort: cohort.csv
encoder: ${tinyEncoder}
seed: 5
threads: 1
splits: { train: 0.5, validation: 0.2, test: 0.3 }
model:
  input: { imageSize: 16, marginMm: 4, slices: { choice: lesionUniform, count: 3 } }
  encoder: { adaptedBlocks: 1, r: 2 }
  aggregation: { hiddenSize: 16 }
  head: { hiddenSizes: [8], projectionSize: 8 }
loss: { memory: 12 }
training: { epochs: ${epochs}, batchSize: 6, slicesPerStep: 2, learningRate: 0.003, minimumEpochs: ${epochs} }
evaluation: { resamples: 200, attentionCases: 2 }
`,
  );
  return study;
}
