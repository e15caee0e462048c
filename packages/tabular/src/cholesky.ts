/**
 * Solves A x = b for a symmetric positive definite A, given row by row (it is overwritten by its Cholesky factor);
 * undefined where A is singular to rounding.
 */
export function solvePositiveDefinite(a: Float64Array[], b: Float64Array): Float64Array | undefined {
  const size = b.length;
  const diagonal = a.map((row, i) => row[i]!);
  for (let column = 0; column < size; column++) {
    for (let row = column; row < size; row++) {
      let sum = a[row]![column]!;
      for (let k = 0; k < column; k++) sum -= a[row]![k]! * a[column]![k]!;
      if (row === column) {
        // What is left of the pivot after the other columns: nothing but rounding means that they explain it.
        if (!(sum > 1e-13 * diagonal[column]!)) return undefined;
        a[column]![column] = Math.sqrt(sum);
      } else {
        a[row]![column] = sum / a[column]![column]!;
      }
    }
  }
  const x = b.slice();
  for (let row = 0; row < size; row++) {
    for (let k = 0; k < row; k++) x[row]! -= a[row]![k]! * x[k]!;
    x[row]! /= a[row]![row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let k = row + 1; k < size; k++) x[row]! -= a[k]![row]! * x[k]!;
    x[row]! /= a[row]![row]!;
  }
  return x;
}
