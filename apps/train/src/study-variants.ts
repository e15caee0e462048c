import { type Document, isNode, type Node } from 'yaml';

/** The value of a study file after one variant's keys were set; not yet checked. */
export interface RawVariant {
  name: string;
  value: Record<string, unknown>;
  /** The dotted keys that were set, each with the place in `vary` that set it. */
  changed: Map<string, Node | undefined>;
}

/** What all variants share: they would not be compared on the same folds and cases otherwise. */
const SHARED = [
  'name',
  'positiveClass',
  'target',
  'cohort',
  'external',
  'segmentation',
  'noLesion',
  'patients',
  'splits',
  'seed',
  'seeds',
  'vary',
  'evaluation',
];

/** True where a dotted key is one that `vary` may not change. */
export function isShared(key: string): boolean {
  return SHARED.includes(key.split('.')[0] as string);
}

/**
 * The variants of a study, in the order of its table: the full grid of a map of dotted keys to lists (the last key
 * changes fastest), or the named overrides of a list. A study without `vary` is its own only variant.
 *
 * @param value the document as plain data, its `vary` already of the right shape
 */
export function rawVariants(document: Document, value: Record<string, unknown>): RawVariant[] {
  const { vary, ...base } = value;
  const node = (...path: (string | number)[]) => {
    const found = document.getIn(['vary', ...path], true) ?? document.get('vary', true);
    return isNode(found) ? found : undefined;
  };
  if (vary === undefined) return [{ name: String(base.name), value: base, changed: new Map() }];
  if (Array.isArray(vary)) {
    return vary.map(({ name, ...overrides }: Record<string, unknown>, i) => {
      const changed = new Map(Object.keys(overrides).map((key) => [key, node(i, key)]));
      return { name: String(name), value: override(base, Object.entries(overrides)), changed };
    });
  }
  let grid: [string, number][][] = [[]];
  for (const [key, choices] of Object.entries(vary as Record<string, unknown[]>)) {
    grid = grid.flatMap((row) => choices.map((_, i): [string, number][] => [...row, [key, i]]));
  }
  return grid.map((row) => {
    const entries = row.map(([key, i]) => [key, (vary as Record<string, unknown[]>)[key]?.[i]] as const);
    return {
      name: entries.map(([key, choice]) => `${key}=${plain(choice)}`).join(' '),
      value: override(base, entries),
      changed: new Map(row.map(([key, i]) => [key, node(key, i)])),
    };
  });
}

/** A copy of `base` with dotted keys set. */
function override(
  base: Record<string, unknown>,
  entries: readonly (readonly [string, unknown])[],
): Record<string, unknown> {
  const copy = structuredClone(base);
  for (const [key, choice] of entries) {
    const path = key.split('.');
    const last = path.pop() as string;
    let place = copy;
    for (const name of path) {
      const next = place[name];
      if (typeof next !== 'object' || next === null) place[name] = {};
      place = place[name] as Record<string, unknown>;
    }
    place[last] = choice;
  }
  return copy;
}

const plain = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
