import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** This folder, where each side's script lies. */
export const here = dirname(fileURLToPath(import.meta.url));

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A side that answers a line with a line. */
export async function start(program, args) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ${args[0]} ended`);
      if (value.startsWith('{')) return JSON.parse(value); // libraries print too
    }
  };
  const { ready } = await next();
  return {
    ready,
    async ask(command) {
      child.stdin.write(`${command}\n`);
      return next();
    },
    stop: () => child.kill(),
  };
}
