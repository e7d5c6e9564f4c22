import type { EpochMs } from "../terms";
import { middleOf } from "./statistics";

/** The middle value of a series' readings in a step of time. */
export interface Step {
  /** Its begin. */
  readonly time: EpochMs;
  readonly value: number;
}

/** A stretch in which a value slid away before it sprang back. */
export interface Slide {
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** The shortest and longest slide, in steps. */
const LENGTH = { least: 3, most: 12 } as const;
/** A spring is this many times what the series does in two steps, nine times of ten, and so many times its usual two steps. */
const SPRING = { often: 2.5, usual: 8 } as const;
/** How well the way there fits the way back, and a straight line, and how little it moves right after, as shares of the spring. */
const FITS = { back: 0.4, line: 0.15, after: 0.2 } as const;
/** What does it as often within the steps that are looked at does it by itself, as a valve does. */
const BY_ITSELF = 4;

/**
 * Finds where a sensor slid away from what it measures and sprang back: values on a straight line, away from where they were before and are right after.
 * @param steps by time; at least 40 for anything to be said
 */
export function slidesOf(steps: readonly Step[]): Slide[] {
  const found: Slide[] = [];
  if (steps.length < 40) return found;
  const changes = steps.slice(2).map(({ value }, i) => Math.abs(value - steps[i]!.value));
  const sorted = Float64Array.from(changes).sort();
  const [usual, often] = [middleOf(sorted), sorted[Math.floor(0.9 * sorted.length)]!];
  const least = Math.max(SPRING.often * often, SPRING.usual * usual, Number.MIN_VALUE);
  for (let i = 1; i + 1 < steps.length; i++) {
    const spring = steps[i + 1]!.value - steps[i - 1]!.value;
    if (Math.abs(spring) < least) continue;
    const length = bestLine(steps, i - 1, spring);
    if (length === 0) continue;
    found.push({ from: steps[i - length]!.time, to: steps[i]!.time });
    i += 2;
  }
  return found.length >= BY_ITSELF ? [] : found;
}

/** The steps of the line that ends at `end` and best goes as far as `spring` goes back; 0: there is none. */
function bestLine(steps: readonly Step[], end: number, spring: number): number {
  const after = steps[end + 2]!.value;
  const size = Math.abs(spring);
  // What goes on as fast afterwards turned, and didn't spring back.
  for (const next of [end + 3, end + 4])
    if (next < steps.length && Math.abs(steps[next]!.value - after) > FITS.after * size) return 0;
  let best = 0;
  let least = Infinity;
  for (let length = LENGTH.least; length <= LENGTH.most && end - length >= 0; length++) {
    const begin = end - length + 1;
    const { slope, off } = lineOf(steps, begin, end);
    const misses = Math.abs(slope * length + spring);
    if (misses > FITS.back * size || off > FITS.line * size) continue;
    if (Math.abs(steps[begin - 1]!.value - after) > FITS.back * size) continue;
    if (misses + off >= least) continue;
    [best, least] = [length, misses + off];
  }
  return best;
}

/** The line through steps `begin` to `end`: its slope a step, and how far they are off it (root mean square). */
function lineOf(steps: readonly Step[], begin: number, end: number): { readonly slope: number; readonly off: number } {
  const n = end - begin + 1;
  let [sum, weighted, squares] = [0, 0, 0];
  for (let i = begin; i <= end; i++) {
    const value = steps[i]!.value;
    sum += value;
    weighted += (i - begin) * value;
    squares += value * value;
  }
  const center = (n - 1) / 2;
  const spread = (n * (n * n - 1)) / 12;
  const slope = (weighted - center * sum) / spread;
  return { slope, off: Math.sqrt(Math.max(0, squares - (sum * sum) / n - slope * slope * spread) / n) };
}
