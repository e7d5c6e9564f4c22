/**
 * Randomness as a pure function: the same numbers in give the same number out, in any order and in any process.
 * That is what makes a fleet reproducible, and lets its curves go on without a jump after a restart.
 */

/** A number in [0, 1) that belongs to these whole numbers. */
export function chance(...key: number[]): number {
  let hash = 0x9e3779b9;
  for (const part of key) {
    // Both halves: ticks and minutes since 1970 can exceed 32 bits.
    hash = mix(hash ^ (part >>> 0));
    hash = mix(hash ^ Math.floor(part / 4294967296));
  }
  return (hash >>> 0) / 4294967296;
}

function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) + 0x6d2b79f5;
}

/** Roughly normal, mean 0, standard deviation 1, within ±3.4. */
export function noise(...key: number[]): number {
  const sum = chance(...key, 1) + chance(...key, 2) + chance(...key, 3) + chance(...key, 4);
  return (sum - 2) * Math.sqrt(3);
}

/** A smooth walk in [-1, 1] over `x`, with a new direction at every whole number. */
export function wander(x: number, ...key: number[]): number {
  const from = Math.floor(x);
  const part = x - from;
  const eased = part * part * (3 - 2 * part);
  const a = chance(...key, from) * 2 - 1;
  const b = chance(...key, from + 1) * 2 - 1;
  return a + (b - a) * eased;
}

/** Returns how often something of this mean happens (Poisson), from one number in [0, 1). */
export function occurrences(mean: number, draw: number): number {
  // Beyond this the sum below underflows; the mean itself is close enough.
  if (mean > 300) return Math.round(mean);
  let count = 0;
  let term = Math.exp(-mean);
  for (let sum = term; sum < draw && count < 2000; sum += term) term *= mean / ++count;
  return count;
}
