/** Places that look like the start of a member and are none: one in 130 MB of compressed data; more is hostile. */
const MAX_FALSE_STARTS = 64;

/**
 * The expanded bytes of each member of a gzip file that has several (bgzip, joined files), of which browsers read only
 * the first. A member's length is written nowhere: it ends where the next one may start and its checksum is right.
 * Undefined comes last where the rest is no member, or where a member is longer than `limit`.
 */
export async function* gzipMembers(
  bytes: Uint8Array<ArrayBuffer>,
  limit: number,
): AsyncGenerator<Uint8Array[] | undefined, void, undefined> {
  let falseStarts = 0;
  for (let start = 0, end = 0; start < bytes.length; ) {
    end = nextStart(bytes, Math.max(end, start) + 1);
    const parts = await expandedMember(bytes.subarray(start, end), limit);
    if (parts !== undefined) {
      yield parts;
      start = end;
    } else if (end === bytes.length || ++falseStarts > MAX_FALSE_STARTS) {
      yield undefined;
      return;
    }
  }
}

/** Where the next member may start (RFC 1952: its mark, deflate, no reserved flag); the end where there is none. */
function nextStart(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x1f, from); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] === 0x8b && bytes[at + 2] === 8 && bytes[at + 3]! < 0x20) return at;
  }
  return bytes.length;
}

async function expandedMember(
  member: Uint8Array<ArrayBuffer>,
  limit: number,
): Promise<Uint8Array[] | undefined> {
  const reader = new Blob([member]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return parts;
      parts.push(value);
      length += value.length;
      if (length > limit) return undefined;
    }
  } catch {
    return undefined;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
