import { shareOf } from "./value-scale";

const PAD = 3;

/** Less movement than this part of a value is drawn as little movement, not stretched to the whole height. */
const LEAST_SPAN = 0.02;

/**
 * The range that shows how values move rather than how large they are: from the least to the largest, or wider around
 * them where they hardly move; from zero where all are.
 */
export function rangeOf(values: readonly (number | null)[]): readonly [low: number, high: number] {
  const numbers = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.length === 0) return [0, 0];
  // Zero all along is nothing, not a value in the middle.
  if (low === 0 && high === 0) return [0, 1];
  // Halved before they are added: twice the largest double is none.
  const middle = low / 2 + high / 2;
  const half = Math.max(high / 2 - low / 2, (Math.abs(middle) * LEAST_SPAN) / 2) || 1;
  return [Math.max(-Number.MAX_VALUE, middle - half), Math.min(Number.MAX_VALUE, middle + half)];
}

/**
 * The path through evenly spaced values, from zero (or the least negative value) to the largest unless a range is given.
 * A null breaks the line; `gaps` are lines on the ground where nothing is known after the first value. `last` is where the newest value lies, null when there is none; `yOf` where others would.
 */
export function sparklinePath(
  values: readonly (number | null)[],
  width: number,
  height: number,
  range?: readonly [low: number, high: number],
): { path: string; gaps: string; last: readonly [x: number, y: number] | null; yOf: (value: number) => number } {
  let [low, high] = range ?? [0, 0];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const step = (width - 2 * PAD) / Math.max(1, values.length - 1);
  const round = (n: number) => Math.round(n * 10) / 10;

  const yOf = (value: number) => round(height - PAD - shareOf(value, { min: low, max: high }) * (height - 2 * PAD));

  let path = "";
  let gaps = "";
  let known: number | null = null;
  let drawing = false;
  let last: readonly [number, number] | null = null;
  values.forEach((value, i) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = round(PAD + i * step);
    const y = yOf(value);
    if (known !== null && i - known > 1) gaps += `M${round(PAD + known * step)} ${height - 1}H${x}`;
    known = i;
    path += `${drawing ? "L" : "M"}${x} ${y}`;
    // A lone value between gaps would be an empty path: give it a visible dot.
    if (!drawing && (values[i + 1] ?? null) === null) path += "h0.1";
    drawing = true;
    last = [x, y];
  });
  if (known !== null && known < values.length - 1)
    gaps += `M${round(PAD + known * step)} ${height - 1}H${round(width - PAD)}`;
  return { path, gaps, last, yOf };
}
