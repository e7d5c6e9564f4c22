/** A number whose shortest text has this many digits more than with 14 of them has them from binary fractions. */
const DUST_DIGITS = 4;

/**
 * Returns a number without what binary fractions leave of sums and means: 16.040000000000003 becomes 16.04. Digits
 * that were sent stay, up to the seventeen a double holds.
 */
export function withoutDust(value: number): number {
  const short = Number(value.toPrecision(14));
  return String(value).length - String(short).length >= DUST_DIGITS ? short : value;
}

/** A mean without dust; where readings have it themselves, as they were sent, the mean stays among them. */
export function meanWithoutDust({ mean, min, max }: { mean: number; min: number; max: number }): number {
  return Math.min(max, Math.max(min, withoutDust(mean)));
}
