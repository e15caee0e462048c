#!/usr/bin/env node
/** Packs the package in the working folder as pnpm publishes it, then lints the tarball with publint and attw. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binaries = join(dirname(fileURLToPath(import.meta.url)), 'node_modules', '.bin');
const folder = mkdtempSync(join(tmpdir(), 'onco-pack-'));
const tarball = join(folder, 'package.tgz');
const run = (file, args) => execFileSync(file, args, { stdio: 'inherit' });
try {
  run('pnpm', ['pack', '--out', tarball]);
  run(join(binaries, 'publint'), ['run', '--strict', tarball]);
  run(join(binaries, 'attw'), [tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji']);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
