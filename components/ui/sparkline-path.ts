const PAD = 3;

/**
 * The path through evenly spaced values from zero (or the least negative value) to the largest.
 * A null breaks the line; `last` is where the newest value lies, null when there is none.
 */
export function sparklinePath(
  values: readonly (number | null)[],
  width: number,
  height: number,
): { path: string; last: readonly [x: number, y: number] | null } {
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = high - low || 1;
  const step = (width - 2 * PAD) / Math.max(1, values.length - 1);
  const round = (n: number) => Math.round(n * 10) / 10;

  let path = "";
  let drawing = false;
  let last: readonly [number, number] | null = null;
  values.forEach((value, i) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = round(PAD + i * step);
    const y = round(height - PAD - ((value - low) / span) * (height - 2 * PAD));
    path += `${drawing ? "L" : "M"}${x} ${y}`;
    // A lone value between gaps would be an empty path: give it a visible dot.
    if (!drawing && (values[i + 1] ?? null) === null) path += "h0.1";
    drawing = true;
    last = [x, y];
  });
  return { path, last };
}
