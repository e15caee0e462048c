/** Files that are being read while an earlier one is worked on: enough to hide the disk, few enough to bound memory. */
const DEPTH = 4;

/**
 * The results of `read` in the order of `items`, with a few reads under way ahead of the one that is waited for.
 * @example
 * for await (const bytes of readAhead(paths, (path) => readFile(path))) parse(bytes);
 */
export async function* readAhead<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const underWay: Promise<Result>[] = [];
  for (let next = 0; next < items.length || underWay.length > 0; ) {
    while (next < items.length && underWay.length < DEPTH) {
      const reading = read(items[next++]!);
      reading.catch(() => undefined); // raised below, in its turn, or not at all if an earlier one fails
      underWay.push(reading);
    }
    yield await underWay.shift()!;
  }
}

/** Memory for the reads under way, to be asked for once at the start of each: it comes round when its result is done with. */
export function memoryInTurn(length: number): () => Uint8Array {
  const memory: Uint8Array[] = [];
  let turn = 0;
  return () => {
    const place = turn++ % DEPTH;
    memory[place] ??= new Uint8Array(length);
    return memory[place];
  };
}
