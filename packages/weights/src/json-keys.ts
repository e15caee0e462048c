/**
 * The first key that an object of valid JSON text repeats, or undefined. `JSON.parse` keeps the last of two equal keys
 * without a word, so one file could mean two things to two readers.
 */
export function findRepeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // one entry an open bracket: the keys of an object, undefined for an array
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined);
      expectKey = character === '{';
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === ',') {
      expectKey = open.at(-1) !== undefined;
    } else if (character === '"') {
      const start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (!expectKey) continue;
      const key = JSON.parse(text.slice(start, at + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
      expectKey = false;
    }
  }
  return undefined;
}
