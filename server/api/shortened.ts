/** More digits than a line of a few pixels can show. */
const DIGITS = 5;

/** A number to five digits. The largest double, shortened, would be rounded up beyond the doubles, and stays as it is. */
export function shortened(value: number): number {
  const short = Number(value.toPrecision(DIGITS));
  return Number.isFinite(short) ? short : value;
}
