/** Tells how far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
export type ZoneOffset = (utc: number) => number;

/** Offsets change on whole quarters of an hour. */
const STEP_MS = 15 * 60_000;
const MOST_REMEMBERED = 4096;
const DAY_MS = 86_400_000;

/** A zone without a name, whose clocks never change. */
const FIXED = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/;

/** True for an IANA name that the platform knows, and for ±HH:MM. */
export function isZone(zone: string): boolean {
  if (FIXED.test(zone)) return true;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
}

/** The offset of a zone. @throws RangeError if there is no such zone. */
export function offsetIn(zone: string): ZoneOffset {
  const [, sign, hours, minutes] = FIXED.exec(zone) ?? (zone === "UTC" ? ["", "+", "0", "0"] : []);
  if (sign !== undefined) {
    const ahead = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
    return () => ahead;
  }
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone: zone, hourCycle: "h23", era: "short" },
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  const known = new Map<number, number>();
  return (utc) => {
    const step = Math.floor(utc / STEP_MS);
    const there = known.get(step);
    if (there !== undefined) return there;
    const at = step * STEP_MS;
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(at)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(step, offset);
    return offset;
  };
}

/** The moments at which a zone's clocks show a local time, in order: none in an hour that is left out, two in one that is repeated. */
export function momentsOf(local: number, offset: ZoneOffset): readonly number[] {
  const [before, after] = [offset(local - DAY_MS), offset(local + DAY_MS)];
  if (before === after) return [local - before];
  return [before, after]
    .map((ahead) => local - ahead)
    .filter((utc) => offset(utc) === local - utc)
    .sort((a, b) => a - b);
}
