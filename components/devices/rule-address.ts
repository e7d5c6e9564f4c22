import { type Series, summarize, visiblePoints } from "../live/series";
import type { Stretch } from "../ui/ranges";

interface Of {
  readonly id: string;
  readonly type: string | null;
  readonly site: string | null;
}

/**
 * Where a rule begins that fires for the highest value shown of the first number: for all devices of the type at the site, where the device
 * has them, and tried on this one. Null where no number is shown.
 */
export function ruleAddress(
  { id, type, site }: Of,
  series: readonly Series[] | undefined,
  { from, to }: Stretch,
): string | null {
  const one = series?.find(({ kind }) => kind === "number");
  const seen = one && summarize(visiblePoints(one, from, to));
  if (!one || !seen) return null;
  const of = type === null ? { device: id } : { type, ...(site === null ? {} : { site }) };
  return `/alerts/rules?${new URLSearchParams({ new: "1", metric: one.metric, above: limitBelow(seen.max), ...of, on: id }).toString()}`;
}

/** The next value below, of three digits. */
export function limitBelow(value: number): string {
  if (value === 0) return "-0.001";
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  // Powers of ten are off by a bit on some engines: a value that is a whole number of steps still gets the one below it.
  const steps = Math.ceil(value / step - 1e-9) - 1;
  return String(Number((steps * step).toPrecision(3)));
}
