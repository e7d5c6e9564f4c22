/** Height of one label, in pixels. */
const LABEL = 14;

/**
 * How far up each label at the end of a line must move so that no two overlap, in pixels.
 * @param heights where the lines end above the foot of the chart, in pixels; null for lines without an end.
 */
export function labelShifts(heights: readonly (number | null)[]): number[] {
  const shifts = heights.map(() => 0);
  let free = Number.NEGATIVE_INFINITY;
  const upwards = heights
    .flatMap((height, index) => (height === null ? [] : [{ height, index }]))
    .sort((a, b) => a.height - b.height);
  for (const { height, index } of upwards) {
    const placed = Math.max(height, free);
    shifts[index] = placed - height;
    free = placed + LABEL;
  }
  return shifts;
}
