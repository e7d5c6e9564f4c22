/** Where a chart draws a time and a value, in pixels. */
export interface Place {
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

interface Row {
  readonly time: number;
  readonly [key: string]: unknown;
}

/** The path of a line through rows, broken where a row has no number. With `step` a value holds until the next row. */
export function linePath(rows: readonly Row[], key: string, { x, y }: Place, step = false): string {
  let path = "";
  let isDrawing = false;
  for (const row of rows) {
    const value = row[key];
    if (typeof value !== "number") {
      isDrawing = false;
      continue;
    }
    const [left, top] = [short(x(row.time)), short(y(value))];
    if (!isDrawing) path += `M${left} ${top}`;
    else path += step ? `H${left}V${top}` : `L${left} ${top}`;
    isDrawing = true;
  }
  return path;
}

/** The area between the [low, high] pairs of rows, one closed piece a stretch without gaps. */
export function bandPath(rows: readonly Row[], key: string, { x, y }: Place, step = false): string {
  let path = "";
  let stretch: { left: number; low: number; high: number }[] = [];
  const close = () => {
    if (stretch.length > 1) path += outline(stretch, step);
    stretch = [];
  };
  for (const row of rows) {
    const pair = row[key] as readonly [number, number] | null | undefined;
    if (!pair) close();
    else stretch.push({ left: short(x(row.time)), low: short(y(pair[0])), high: short(y(pair[1])) });
  }
  close();
  return path;
}

function outline(stretch: readonly { left: number; low: number; high: number }[], step: boolean): string {
  const [first] = stretch;
  let path = `M${first!.left} ${first!.high}`;
  for (const { left, high } of stretch.slice(1)) path += step ? `H${left}V${high}` : `L${left} ${high}`;
  for (const { left, low } of stretch.toReversed()) path += step ? `V${low}H${left}` : `L${left} ${low}`;
  return `${path}Z`;
}

/** Tenths of a pixel: finer is invisible and makes paths long. */
function short(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
