/** More digits than a line of a few pixels can show. */
const DIGITS = 5;
/** Numbers between these are shortened by arithmetic, a fifth of the time that text takes: the powers of ten they need are doubles exactly. */
const [LEAST, MOST] = [1e-15, 1e15];
const POWERS = Array.from({ length: 20 }, (_, i) => Number(`1e${i}`));

/** A number to five digits. The largest double, shortened, would be rounded up beyond the doubles, and stays as it is. */
export function shortened(value: number): number {
  const size = Math.abs(value);
  if (size > LEAST && size < MOST) {
    const digits = DIGITS - 1 - Math.floor(Math.log10(size));
    const power = POWERS[Math.abs(digits)]!;
    return digits >= 0 ? Math.round(value * power) / power : Math.round(value / power) * power;
  }
  const short = Number(value.toPrecision(DIGITS));
  return Number.isFinite(short) ? short : value;
}
