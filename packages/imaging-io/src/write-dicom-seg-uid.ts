/**
 * A UID derived from bytes (2.25., the decimal form of a UUID: PS3.5 B.2), so that the same input has the same UID. The
 * UUID is of version 8, which RFC 9562 keeps for such schemes; 122 bits of SHA-256 do not collide.
 * @param purpose tells apart the UIDs that are derived from the same bytes
 */
export function derivedUid(purpose: string, digest: Uint8Array): string {
  const name = new TextEncoder().encode(`${purpose}\0`);
  const bytes = new Uint8Array(name.length + digest.length);
  bytes.set(name);
  bytes.set(digest, name.length);
  const uuid = sha256(bytes).subarray(0, 16);
  uuid[6] = (uuid[6]! & 0x0f) | 0x80; // version
  uuid[8] = (uuid[8]! & 0x3f) | 0x80; // variant
  return `2.25.${uuid.reduce((number, byte) => number * 256n + BigInt(byte), 0n)}`;
}

/** The first 32 bits of the fractional parts of the nth roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3). */
const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, d) => d).some((d) => d > 1 && n % d === 0),
);
const fraction = (value: number): number => ((value - Math.floor(value)) * 2 ** 32) | 0;
const ROUND = Int32Array.from(PRIMES.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

/**
 * SHA-256 (FIPS 180-4). WebCrypto's answers later only, and is missing on pages served without https, as many are in a
 * hospital.
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  const state = Int32Array.from(START);
  const whole = bytes.length - (bytes.length % 64);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += 64) compress(state, view, at);
  const rest = bytes.length - whole;
  const tail = new Uint8Array(rest < 56 ? 64 : 128);
  tail.set(bytes.subarray(whole));
  tail[rest] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setUint32(tail.length - 8, Math.floor(bytes.length / 2 ** 29));
  tailView.setUint32(tail.length - 4, (bytes.length * 8) >>> 0);
  for (let at = 0; at < tail.length; at += 64) compress(state, tailView, at);
  const digest = new DataView(new ArrayBuffer(32));
  for (const [at, word] of state.entries()) digest.setInt32(4 * at, word);
  return new Uint8Array(digest.buffer);
}

const words = new Int32Array(64);

function compress(state: Int32Array, view: DataView, start: number): void {
  const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));
  for (let at = 0; at < 16; at++) words[at] = view.getInt32(start + 4 * at);
  for (let at = 16; at < 64; at++) {
    const near = words[at - 2]!;
    const far = words[at - 15]!;
    words[at] =
      (turn(near, 17) ^ turn(near, 19) ^ (near >>> 10)) +
      words[at - 7]! +
      (turn(far, 7) ^ turn(far, 18) ^ (far >>> 3)) +
      words[at - 16]!;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let at = 0; at < 64; at++) {
    const choice = (e & f) ^ (~e & g);
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + ROUND[at]! + words[at]!) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}
