#!/usr/bin/env node
/** Packs the package in the working folder as pnpm publishes it, then lints the tarball with publint and attw. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The script behind a dependency's command, found without relying on PATH. */
function command(name, binary) {
  const manifest = require(`${name}/package.json`);
  const root = dirname(require.resolve(`${name}/package.json`));
  return join(root, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[binary]);
}

const folder = mkdtempSync(join(tmpdir(), 'onco-pack-'));
const tarball = join(folder, 'package.tgz');
const run = (file, args) => execFileSync(file, args, { stdio: 'inherit' });
try {
  run('pnpm', ['pack', '--out', tarball]);
  run(process.execPath, [command('publint', 'publint'), 'run', '--strict', tarball]);
  run(process.execPath, [
    command('@arethetypeswrong/cli', 'attw'),
    tarball,
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--no-emoji',
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
