import { SingleBar } from 'cli-progress';

const LINE_EVERY_MS = 10_000;

/**
 * Progress of one long piece of work: a bar with time left in a terminal, a plain line now and then elsewhere.
 * @example
 * const progress = new Progress('preprocess', cases.length);
 * progress.advance();
 * progress.stop();
 */
export class Progress {
  readonly #name: string;
  readonly #total: number;
  readonly #bar: SingleBar | undefined;
  readonly #start = performance.now();
  #done = 0;
  #lastLine = 0;

  constructor(name: string, total: number) {
    this.#name = name;
    this.#total = total;
    if (process.stderr.isTTY && total > 0) {
      this.#bar = new SingleBar({
        format: `${name} {bar} {value}/{total}  {duration_formatted}, {eta_formatted} left  {detail}`,
        hideCursor: true,
        stream: process.stderr,
        etaBuffer: 20,
      });
      this.#bar.start(total, 0, { detail: '' });
    }
  }

  advance(by = 1, detail = ''): void {
    this.#done += by;
    if (this.#total === 0) return;
    if (this.#bar) {
      this.#bar.update(this.#done, { detail });
      return;
    }
    const now = performance.now() - this.#start;
    if (now - this.#lastLine < LINE_EVERY_MS && this.#done < this.#total) return;
    this.#lastLine = now;
    const left = (now / this.#done) * (this.#total - this.#done);
    console.error(
      `${this.#name} ${this.#done}/${this.#total}, ${seconds(now)}, ${seconds(left)} left ${detail}`.trimEnd(),
    );
  }

  stop(): void {
    this.#bar?.stop();
  }
}

function seconds(milliseconds: number): string {
  const total = Math.round(milliseconds / 1000);
  return total < 60 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
}
