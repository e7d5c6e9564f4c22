/** The powers of ten that doubles hold exactly. */
const POWERS = Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Digits that every double holds. */
const SAFE_DIGITS = 15;
/** Digits that this tells anything of. */
const MOST_DIGITS = 17;
/** The last digits that are added up apart, so that both parts are exact. */
const LOW_DIGITS = 9;
const LOW = 10 ** LOW_DIGITS;
/** Less than a half by more than all that is lost in getting there. */
const NEARLY_HALF = 0.5 - 2 ** -20;

const [ZERO, POINT] = [...Buffer.from("0.")] as [number, number];

/**
 * Reads a decimal without a sign, digits with perhaps a point between, as the double nearest to it. NaN where it isn't certain which one that is, or that it has
 * these digits when written with as many: that costs some ten times as much to find out.
 * @param fraction the number of digits after the point.
 */
export function readDecimal(bytes: Uint8Array, begin: number, end: number, fraction: number): number {
  const power = POWERS[fraction];
  if (power === undefined) return NaN;
  let first = begin;
  while (first < end && (bytes[first] === ZERO || bytes[first] === POINT)) first++;
  let high = 0;
  let low = 0;
  let left = 0;
  for (let i = first; i < end; i++) if (bytes[i] !== POINT) left++;
  if (left > MOST_DIGITS) return NaN;
  const isSafe = left <= SAFE_DIGITS;
  for (let i = first; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === POINT) continue;
    if (isSafe || left > LOW_DIGITS) high = high * 10 + byte - ZERO;
    else low = low * 10 + byte - ZERO;
    left--;
  }
  return isSafe ? high / power : nearest(high * LOW, low, power);
}

/** The double nearest to (high + low) / power, of 16 or 17 digits; NaN where that isn't certain, or they aren't the digits of it. */
function nearest(high: number, low: number, power: number): number {
  // What is just below a power of ten has other digits.
  if (low === 0) return NaN;
  let value = (high + low) / power;
  value += remainder(high, low, value, power) / power;
  const rest = Math.abs(remainder(high, low, value, power));
  // The distance to the next double; 0 for powers of two, whose neighbours are not equally far.
  const step = value + value * 2 ** -53 - value;
  return rest < NEARLY_HALF && rest < NEARLY_HALF * step * power ? value : NaN;
}

/** Splits a double into halves whose products are exact (Dekker). */
const SPLIT = 2 ** 27 + 1;

/** high + low − value × power, to far below one, where the two are nearly equal. */
function remainder(high: number, low: number, value: number, power: number): number {
  const product = value * power;
  const a = SPLIT * value;
  const valueHigh = a - (a - value);
  const valueLow = value - valueHigh;
  const b = SPLIT * power;
  const powerHigh = b - (b - power);
  const powerLow = power - powerHigh;
  const lost = valueLow * powerLow - (product - valueHigh * powerHigh - valueLow * powerHigh - valueHigh * powerLow);
  return high - product + low - lost;
}
