/**
 * Reads a percentile off a histogram of durations whose bucket i counts those in [2^(i-1), 2^i) ms, bucket 0 those below 1 ms.
 * Interpolates within the bucket. @returns milliseconds, or null when the histogram is empty.
 */
export function histogramPercentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let rank = share * total;
  for (const [i, count] of counts.entries()) {
    if (rank <= count && count > 0) {
      const low = i === 0 ? 0 : 2 ** (i - 1);
      return low + (rank / count) * (2 ** i - low);
    }
    rank -= count;
  }
  return 2 ** (counts.length - 1);
}

/** Tells the class of a value, for a histogram whose class i counts values in [2^(i-1), 2^i) and class 0 those below 1; the last has no upper end. */
export function histogramClass(value: number, classes: number): number {
  return value < 1
    ? 0
    : Math.min(classes - 1, value < 2 ** 31 ? 32 - Math.clz32(value) : Math.floor(Math.log2(value)) + 1);
}
