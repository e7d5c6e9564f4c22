/** The middle of sorted values; NaN if there are none. */
export function middleOf(sorted: ArrayLike<number>): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How far values are from their mean: the root of the mean square. */
export function spreadOf(values: readonly number[], mean: number): number {
  return Math.sqrt(values.reduce((all, value) => all + (value - mean) ** 2, 0) / values.length);
}

/** How x and y of pairs go together: Pearson's correlation (NaN where one doesn't move) and the slope of y by x. */
export function pairOf(pairs: readonly (readonly [x: number, y: number])[]): {
  readonly correlation: number;
  readonly slope: number;
} {
  const n = pairs.length;
  let [x, y] = [0, 0];
  for (const [a, b] of pairs) [x, y] = [x + a / n, y + b / n];
  let [xx, xy, yy] = [0, 0, 0];
  for (const [a, b] of pairs) {
    xx += (a - x) ** 2;
    xy += (a - x) * (b - y);
    yy += (b - y) ** 2;
  }
  return { correlation: xy / Math.sqrt(xx * yy), slope: xy / xx };
}
