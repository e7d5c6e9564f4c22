/** A value axis: round ticks from its foot to its top, and how their labels are written. */
export interface ValueScale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** A tick's label: as many decimals as the distance between ticks needs, so that no label is rounded. */
  readonly label: (value: number) => string;
}

const PREFIXES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
] as const;

/** Beyond, distances may leave the doubles, and with them the axis. */
const LARGE = 1e300;
const SMALLER = 1e-100;

/** Returns a value's place on an axis: 0 at its foot, 1 at its top, however far apart the two are. */
export function shareOf(value: number, { min, max }: Pick<ValueScale, "min" | "max">): number {
  const span = max - min;
  if (span === 0) return 0;
  const share = (value - min) / span;
  // A distance that leaves the doubles is measured in quarters.
  return Number.isFinite(span) && Number.isFinite(share) ? share : (value / 4 - min / 4) / (max / 4 - min / 4);
}

/** The axis for values from `low` to `high`, with at most six ticks. */
export function valueScale(low: number, high: number, fromZero = false): ValueScale {
  if (Math.max(Math.abs(low), Math.abs(high)) > LARGE) return largeScale(low, high, fromZero);
  let [foot, top] = fromZero ? [Math.min(0, low), Math.max(0, high)] : [low, high];
  // One value alone gets an axis around it, as wide as a person would draw it.
  if (top - foot <= Math.max(Math.abs(foot), Math.abs(top)) * 1e-9 + 1e-12) {
    const size = Math.abs(top) * 0.05;
    // Too small for steps of it to be told apart.
    const room = size < 1e-290 ? 1 : size;
    // A constant zero is no reason for values below it.
    if (fromZero || (foot === 0 && top === 0)) top = Math.max(top, foot + (top === 0 ? room : room * 2));
    else [foot, top] = [foot - room, top + room];
  }
  const step = roundStep(foot, top);
  const first = Math.floor(foot / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => tidy((first + i) * step));
  return { min: ticks[0]!, max: ticks.at(-1)!, ticks, label: labelling(step, Math.max(Math.abs(foot), Math.abs(top))) };
}

/** Chooses the axis on values made smaller and scales it back: an end that would round beyond the doubles stays as it is. */
function largeScale(low: number, high: number, fromZero: boolean): ValueScale {
  const { min, max, ticks } = valueScale(low * SMALLER, high * SMALLER, fromZero);
  const larger = (value: number) => tidy(value / SMALLER);
  return {
    min: Math.max(-Number.MAX_VALUE, larger(min)),
    max: Math.min(Number.MAX_VALUE, larger(max)),
    ticks: ticks.map(larger).filter(Number.isFinite),
    label: powers,
  };
}

/** The smallest round step with at most five steps between foot and top. */
function roundStep(foot: number, top: number): number {
  const power = 10 ** Math.floor(Math.log10((top - foot) / 5));
  for (const factor of [1, 2, 2.5, 5, 10, 20, 25, 50]) {
    const step = factor * power;
    if (Math.ceil(top / step - 1e-9) - Math.floor(foot / step + 1e-9) <= 5) return step;
  }
  return 100 * power;
}

function labelling(step: number, size: number): (value: number) => string {
  if (size >= 1e15) return powers;
  const [factor, prefix] = PREFIXES.find(([factor]) => size >= factor && decimalsOf(step / factor) <= 3) ?? [1, ""];
  const decimals = decimalsOf(step / factor);
  if (decimals > 6) return (value) => String(tidy(value));
  const format = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return (value) => `${format.format(tidy(value / factor)).replace(/^-0$/, "0")}${prefix && ` ${prefix}`}`;
}

/** "1.5e+308": no prefix goes so far. */
function powers(value: number): string {
  return value === 0 ? "0" : tidy(value).toExponential();
}

function decimalsOf(step: number): number {
  let decimals = 0;
  while (decimals < 12 && Math.abs(Math.round(step * 10 ** decimals) / (step * 10 ** decimals) - 1) > 1e-9) decimals++;
  return decimals;
}

/** Removes the dust of binary fractions: 0.30000000000000004 becomes 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12)) + 0;
}
