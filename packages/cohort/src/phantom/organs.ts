import type { Vec3 } from '@onco-response/volume';
import type { SeededRandom } from '../seeded-random.js';
import type { Body } from './body.js';
import { type Canvas, paintEllipsoid } from './canvas.js';
import type { LatticeNoise } from './lattice-noise.js';

/** Paints the organs of one synthetic abdomen: positions, sizes and contrast phase vary from case to case. */
export function paintOrgans(canvas: Canvas, body: Body, noise: LatticeNoise, random: SeededRandom): void {
  const [a, b] = body.cavity;
  const h = body.height;
  const venous = random.uniform(); // 0 late arterial, 1 portal venous
  const vary = (value: number, share = 0.12) => value * (1 + share * random.uniform(-1, 1));
  const shift = (spread: number) => spread * random.uniform(-1, 1);

  /** A parenchymal organ: an uneven ellipsoid with texture and a few vessels. */
  const organ = (center: Vec3, radii: Vec3, angle: number, hu: number, vessels: number) => {
    const wobble = random.uniform(0, 30);
    paintEllipsoid(
      canvas,
      { center, radii, angle },
      (q, x, y, z) => {
        const edge = 1 + 0.07 * noise(x / 28 + wobble, y / 28, z / 28);
        if (q > edge) return undefined;
        const vessel = vessels > 0 && Math.abs(noise(x / 17 + wobble, y / 17, z / 24)) < 0.07 && q < 0.85;
        return hu + 5 * noise(x / 6, y / 6, z / 8) + (vessel ? vessels : 0);
      },
      1.15,
    );
  };

  paintBowel(canvas, body, noise, random);

  // Stomach, left and front: fluid below, gas above.
  const stomach: Vec3 = [vary(0.42 * a), -0.35 * b + shift(8), 0.78 * h];
  const gasLevel = stomach[1] - vary(8, 0.9);
  paintEllipsoid(
    canvas,
    { center: stomach, radii: [vary(40), vary(26), vary(30)], angle: 0.4 },
    (q, _x, y) => (q > 0.86 ? 75 : y < gasLevel ? -850 : 18),
  );

  // Liver on the right (x < 0), in two lobes, and the spleen on the left.
  const liverHu = 94 + 26 * venous + shift(10);
  const liverZ = h * random.uniform(0.84, 0.96);
  organ(
    [-0.5 * a, -0.02 * b + shift(6), liverZ],
    [vary(0.5 * a), vary(0.82 * b), vary(68)],
    -0.15,
    liverHu,
    30,
  );
  organ([-0.08 * a, -0.5 * b, liverZ + 8], [vary(0.42 * a), vary(0.34 * b), vary(40)], 0.2, liverHu, 30);
  organ(
    [0.78 * a, 0.32 * b + shift(6), h * 0.88],
    [vary(24), vary(42), vary(40)],
    0.35,
    110 + 15 * venous,
    0,
  );

  // Kidneys: cortex, medulla, sinus fat towards the spine.
  for (const side of [-1, 1]) {
    const center: Vec3 = [side * vary(0.5 * a, 0.08), vary(0.5 * b, 0.08), h * random.uniform(0.58, 0.7)];
    const radii: Vec3 = [vary(25), vary(27), vary(46)];
    const angle = side * 0.5;
    const cortex = 175 + 20 * (1 - venous);
    organ(center, radii, angle, cortex, 0);
    organ(
      center,
      [radii[0] * 0.68, radii[1] * 0.68, radii[2] * 0.72],
      angle,
      cortex - 40 * (1 - venous) - 10,
      0,
    );
    organ([center[0] - side * 9, center[1] - 2, center[2]], [10, 8, 22], angle, -70, 0);
  }

  // Psoas, vertebrae with discs, spinal canal, iliac wings.
  const spine: Vec3 = [shift(4), 0.62 * b, 0];
  for (const side of [-1, 1]) {
    const psoas: Vec3 = [side * 40, spine[1] + 2, 0.3 * h];
    organ(psoas, [vary(17), vary(20), 0.45 * h], 0, 58, 0);
    organ([side * 0.84 * a, 0.45 * b, 0.06 * h], [9, 36, 42], side * -0.45, 290, 0);
  }
  const period = random.uniform(31, 36);
  paintEllipsoid(canvas, { center: [spine[0], spine[1], h / 2], radii: [23, 19, 10 * h] }, (q, x, y, z) => {
    const disc = (z / period) % 1 < 0.22;
    if (disc) return q < 0.95 ? 85 : undefined;
    return (q > 0.9 ? 380 : 165) + 28 * noise(x / 5, y / 5, z / 5);
  });
  paintEllipsoid(canvas, { center: [spine[0], spine[1] + 30, h / 2], radii: [19, 13, 10 * h] }, (q) =>
    q > 0.72 ? 330 : 25,
  );
  paintEllipsoid(
    canvas,
    { center: [spine[0], spine[1] + 52, h / 2], radii: [5, 13, 10 * h] },
    (_q, _x, _y, z) => ((z / period) % 1 < 0.6 ? 300 : undefined),
  );

  // Aorta left of the midline, inferior vena cava right of it; both end above the pelvis.
  const aorta = 290 - 130 * venous;
  const vessel = (x: number, radius: number, hu: number) =>
    paintEllipsoid(
      canvas,
      { center: [x, spine[1] - 30, 0.68 * h], radii: [radius, radius, 6 * h] },
      (_q, _x, _y, z) => (z > 0.22 * h ? hu : undefined),
    );
  vessel(spine[0] + 9, vary(10), aorta);
  vessel(spine[0] - 17, vary(11.5), 95 + 50 * venous);

  // Bladder.
  paintEllipsoid(canvas, { center: [shift(6), -0.1 * b, 0], radii: [vary(34), vary(26), vary(26)] }, (q) =>
    q > 0.88 ? 55 : 8,
  );
}

/** Loops of bowel as chains of balls: wall, then content (fluid, contrast, or gas in front of a level), and vessels. */
function paintBowel(canvas: Canvas, body: Body, noise: LatticeNoise, random: SeededRandom): void {
  const [a, b] = body.cavity;
  const h = body.height;
  const loops = 9 + random.integer(6);
  for (let loop = 0; loop < loops; loop++) {
    const colon = loop < 3; // up the right side, down the left, across the front
    const radius = colon ? random.uniform(14, 20) : random.uniform(9, 13);
    const content = random.uniform() < 0.3 ? random.uniform(120, 220) : random.uniform(5, 40);
    const gas = colon || random.uniform() < 0.35;
    const level = random.uniform(-0.5, 0.3) * radius;
    const points: Vec3[] = [];
    let x = colon ? [-0.72, 0.74, -0.5][loop]! * a : random.uniform(-0.5, 0.5) * a;
    let y = colon ? [0.2, 0.25, -0.62][loop]! * b : random.uniform(-0.5, 0.2) * b;
    let z = colon ? [0.15, 0.15, 0.55][loop]! * h : random.uniform(0.1, 0.6) * h;
    let heading = random.uniform(0, 2 * Math.PI);
    for (let step = 0; step < 14; step++) {
      points.push([x, y, z]);
      heading += random.uniform(-0.7, 0.7);
      const across = colon && loop === 2;
      x += across ? 9 : colon ? random.uniform(-3, 3) : 9 * Math.cos(heading);
      y += colon ? random.uniform(-2, 2) : 6 * Math.sin(heading);
      z += colon && !across ? 8 : random.uniform(-4, 4);
    }
    for (const center of points)
      paintEllipsoid(canvas, { center, radii: [radius, radius, radius] }, () => 70);
    const inner = radius - 3;
    for (const center of points) {
      paintEllipsoid(canvas, { center, radii: [inner, inner, inner] }, (_q, px, py, pz) =>
        gas && py - center[1] < level ? -820 : content + 10 * noise(px / 5, py / 5, pz / 5),
      );
    }
  }
  for (let vessel = 0; vessel < 40; vessel++) {
    const center: Vec3 = [
      random.uniform(-0.6, 0.6) * a,
      random.uniform(-0.7, 0.3) * b,
      random.uniform(0.05, 0.75) * h,
    ];
    const radii: Vec3 = [random.uniform(2, 4), random.uniform(4, 14), random.uniform(3, 8)];
    paintEllipsoid(canvas, { center, radii, angle: random.uniform(0, Math.PI) }, () => 105);
  }
}
