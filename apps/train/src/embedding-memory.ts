/**
 * The last projections and labels, oldest first: further keys for the contrastive losses (cross-batch memory, Wang et
 * al. 2020). Gradient accumulation would not enlarge the contrastive batch; this does.
 */
export class EmbeddingMemory {
  readonly size: number;
  #rows: Float32Array[] = [];
  #labels: number[] = [];
  #patients: number[] = [];

  constructor(size: number) {
    this.size = size;
  }

  /**
   * @param rows [B, P]
   * @param patients a whole number a patient
   */
  push(rows: Float32Array, labels: readonly number[], patients: readonly number[]): void {
    const width = rows.length / labels.length;
    labels.forEach((label, i) => {
      this.#rows.push(rows.slice(i * width, (i + 1) * width));
      this.#labels.push(label);
      this.#patients.push(patients[i] as number);
    });
    const surplus = Math.max(0, this.#rows.length - this.size);
    this.#rows.splice(0, surplus);
    this.#labels.splice(0, surplus);
    this.#patients.splice(0, surplus);
  }

  /** [M, P], M labels and M patients, or undefined while there are none. */
  get content():
    | { rows: Float32Array; shape: [number, number]; labels: number[]; patients: number[] }
    | undefined {
    const [first] = this.#rows;
    if (!first) return undefined;
    const rows = new Float32Array(this.#rows.length * first.length);
    this.#rows.forEach((row, i) => {
      rows.set(row, i * first.length);
    });
    return {
      rows,
      shape: [this.#rows.length, first.length],
      labels: [...this.#labels],
      patients: [...this.#patients],
    };
  }
}
