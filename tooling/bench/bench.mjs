/**
 * pnpm bench imaging|encoder --peer PATH_TO_PYTHON [--rounds 5] [--json FILE] [--data DIR]
 *
 * Ours beside the Python peers', on the same synthetic input in one run. PATH_TO_PYTHON has numpy, and for imaging
 * SimpleITK, nibabel and pydicom, for encoder torch, transformers and peft. Build first: pnpm build.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchEncoder } from './bench-encoder.mjs';
import { benchImaging } from './bench-imaging.mjs';

const BENCHES = { imaging: benchImaging, encoder: benchEncoder };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peer: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
    data: { type: 'string', default: join(tmpdir(), 'onco-bench') },
  },
});
const bench = BENCHES[positionals[0]];
if (!bench || !values.peer) {
  console.error(
    `usage: pnpm bench ${Object.keys(BENCHES).join('|')} --peer PATH_TO_PYTHON [--rounds 5] [--json FILE] [--data DIR]`,
  );
  process.exit(2);
}
mkdirSync(values.data, { recursive: true });
const runs = await bench({ peer: values.peer, rounds: Number(values.rounds), data: values.data });
if (values.json) writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
