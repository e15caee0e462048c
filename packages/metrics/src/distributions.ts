/** Tail probabilities and quantiles to about 1e-14, from the classical expansions; no table, no dependency. */

/** ln of the gamma function for x > 0 (Lanczos, g = 7, 9 terms; error below 1e-14). */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 0.000009984369578019572, 1.5056327351493116e-7,
  ];
  const shifted = x - 1;
  const base = shifted + 7.5;
  const sum = coefficients.reduce((total, c, i) => total + c / (shifted + i + 1), 0.9999999999998099);
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

/** Lentz's evaluation of b0 + a1/(b1 + a2/(b2 + ...)) with b0 = 0, stopped when a factor is 1 to machine precision. */
function continuedFraction(term: (k: number) => { a: number; b: number }): number {
  const tiny = 1e-300;
  let value = tiny;
  let c = tiny;
  let d = 0;
  for (let k = 1; k < 100_000; k++) {
    const { a, b } = term(k);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

/** Q(a, x): the upper tail of the gamma distribution (Abramowitz and Stegun 6.5.29 and 6.5.31). */
function gammaUpperTail(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= x / (a + k);
      sum += term;
    }
    return 1 - front * sum;
  }
  return (
    front * continuedFraction((k) => ({ a: k === 1 ? 1 : -(k - 1) * (k - 1 - a), b: x + 2 * k - 1 - a }))
  );
}

/** I_x(a, b): the regularised incomplete beta function (Abramowitz and Stegun 26.5.8). */
function betaLowerTail(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaLowerTail(1 - x, b, a);
  const front =
    Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  return (
    front *
    continuedFraction((k) => {
      if (k === 1) return { a: 1, b: 1 };
      const m = Math.floor((k - 1) / 2);
      const odd = k % 2 === 0;
      const numerator = odd ? -(a + m) * (a + b + m) * x : m * (b - m) * x;
      return { a: numerator / (odd ? (a + 2 * m) * (a + 2 * m + 1) : (a + 2 * m - 1) * (a + 2 * m)), b: 1 };
    })
  );
}

/** P(X > x) of chi-square with the given degrees of freedom. */
export function chiSquareUpperTail(x: number, degreesOfFreedom: number): number {
  return gammaUpperTail(degreesOfFreedom / 2, x / 2);
}

/** P(|Z| > |z|) of the standard normal. */
export function normalTwoSided(z: number): number {
  return gammaUpperTail(0.5, (z * z) / 2);
}

/** P(Z <= z) of the standard normal. */
export function normalLowerTail(z: number): number {
  const tail = normalTwoSided(z) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** P(|T| > |t|) of Student's t. */
export function studentTwoSided(t: number, degreesOfFreedom: number): number {
  return betaLowerTail(degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5);
}

/** The t of a two-sided interval: 2.23 for 0.95 and 10 degrees of freedom. */
export function studentInterval(level: number, degreesOfFreedom: number): number {
  const x = betaQuantile(1 - level, degreesOfFreedom / 2, 0.5);
  return Math.sqrt((degreesOfFreedom * (1 - x)) / x);
}

/** P(F > f) with the given degrees of freedom of the numerator and the denominator. */
export function fUpperTail(f: number, numerator: number, denominator: number): number {
  return f <= 0
    ? 1
    : betaLowerTail(denominator / (denominator + numerator * f), denominator / 2, numerator / 2);
}

/** The f with P(F > f) = tail. */
export function fUpperQuantile(tail: number, numerator: number, denominator: number): number {
  const x = betaQuantile(tail, denominator / 2, numerator / 2);
  return (denominator * (1 - x)) / (numerator * x);
}

/** P(X <= successes) of a binomial with probability 1/2. */
export function fairBinomialLowerTail(successes: number, total: number): number {
  return successes >= total ? 1 : betaLowerTail(0.5, total - successes, successes + 1);
}

/** P(X = successes) of a binomial with probability 1/2. */
export function fairBinomial(successes: number, total: number): number {
  const choose = logGamma(total + 1) - logGamma(successes + 1) - logGamma(total - successes + 1);
  return Math.exp(choose - total * Math.LN2);
}

/** The x with I_x(a, b) = p, for 0 < p < 1, by Newton steps kept in a bracket. */
export function betaQuantile(p: number, a: number, b: number): number {
  const logScale = logGamma(a + b) - logGamma(a) - logGamma(b);
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let iteration = 0; iteration < 1100; iteration++) {
    const excess = betaLowerTail(x, a, b) - p;
    if (excess === 0) return x;
    if (excess > 0) high = x;
    else low = x;
    const density = Math.exp(logScale + (a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x));
    let next = x - excess / density;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - x) <= 1e-16 * x || next === low || next === high) return next;
    x = next;
  }
  return x;
}

const horner = (coefficients: readonly number[], x: number) =>
  coefficients.reduceRight((value, c) => value * x + c, 0);

/** The standard normal quantile (Wichura 1988, algorithm AS 241, PPND16: relative error about 1e-16). */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(CENTRE_NUMERATOR, r)) / horner(CENTRE_DENOMINATOR, r);
  }
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const value =
    r <= 5
      ? horner(MIDDLE_NUMERATOR, r - 1.6) / horner(MIDDLE_DENOMINATOR, r - 1.6)
      : horner(TAIL_NUMERATOR, r - 5) / horner(TAIL_DENOMINATOR, r - 5);
  return q < 0 ? -value : value;
}

/** The z of a two-sided interval: 1.96 for 0.95. */
export function normalInterval(level: number): number {
  return normalQuantile(0.5 + level / 2);
}

const CENTRE_NUMERATOR = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRE_DENOMINATOR = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const MIDDLE_NUMERATOR = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const MIDDLE_DENOMINATOR = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const TAIL_NUMERATOR = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 0.000027115555687434876, 2.0103343992922881e-7,
];
const TAIL_DENOMINATOR = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  0.000018463183175100548, 1.421511758316446e-7, 2.0442631033899397e-15,
];
