/** Drops repeated points and points in the middle of straight runs: a staircase of thousands of cases needs its corners only. */
export function withoutCollinear(points: [number, number][]): [number, number][] {
  const distinct = points.filter(
    (point, i) => i === 0 || point[0] !== points[i - 1]![0] || point[1] !== points[i - 1]![1],
  );
  return distinct.filter((point, i) => {
    const before = distinct[i - 1];
    const after = distinct[i + 1];
    if (!before || !after) return true;
    const turn =
      (point[0] - before[0]) * (after[1] - point[1]) - (point[1] - before[1]) * (after[0] - point[0]);
    return Math.abs(turn) > 1e-12;
  });
}
