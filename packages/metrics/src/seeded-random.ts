/**
 * A seeded generator of uniform numbers in [0, 1): xoshiro128** (Blackman and Vigna 2018), its state filled by splitmix32.
 * The sequence of a seed is part of this package's behaviour: a report's intervals can be made again.
 */
export function seededRandom(seed: number): () => number {
  let mixer = seed | 0;
  // Seeds beyond 32 bits differ in their high part, which is mixed in as well.
  mixer ^= Math.floor(seed / 4294967296);
  const next32 = () => {
    mixer = (mixer + 0x9e3779b9) | 0;
    let t = mixer ^ (mixer >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return t ^ (t >>> 15);
  };
  let [a, b, c, d] = [next32(), next32(), next32(), next32()];
  return () => {
    let result = Math.imul(b, 5);
    result = Math.imul((result << 7) | (result >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return (result >>> 0) / 4294967296;
  };
}
