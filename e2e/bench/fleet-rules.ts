const NUMBERS = ["co", "humidity", "lpg", "smoke", "temperature"] as const;

export const SITES = Array.from({ length: 20 }, (_, i) => `site-${i}`);
export const TYPES = Array.from({ length: 10 }, (_, i) => `type-${i}`);

/** The values that a metric of `messageLine` has, least and most. */
const RANGES: Record<(typeof NUMBERS)[number], readonly [number, number]> = {
  co: [0, 0.00996],
  humidity: [40, 73.2],
  lpg: [0, 0.0996],
  smoke: [0, 0.1107],
  temperature: [20, 31.07],
};

/**
 * Rules as a fleet has them, by which nothing fires: of all devices, of a type at a site, of a site, and of single devices; above, below and
 * outside of limits, with and without a time that it has to last.
 */
export function quietRules(count: number, devices: number): unknown[] {
  return Array.from({ length: count }, (_, i) => {
    const metric = NUMBERS[i % NUMBERS.length]!;
    const [low, high] = RANGES[metric];
    const span = high - low;
    const far = span * (1 + (i % 97) / 10);
    const condition = [
      { metric, is: "above", warning: high + far, critical: high + 2 * far },
      { metric, is: "below", warning: low - far },
      { metric, is: "outside", critical: [low - far, high + far] },
      { metric, is: "above", warning: high + far, clear: high + far / 2 },
    ][i % 4]!;
    const conditions = i % 10 === 0 ? [condition, { metric: "temperature", is: "above", warning: 100 }] : [condition];
    return { kind: "condition", conditions, of: ofDevices(i, devices), forMs: i % 3 === 0 ? 60_000 : 0 };
  });
}

function ofDevices(i: number, devices: number): object {
  const site = SITES[i % SITES.length];
  const type = TYPES[Math.floor(i / SITES.length) % TYPES.length];
  // Of a hundred: four are for all devices, twenty for devices by name, sixteen for a site, the rest for a type at a site.
  const of = i % 100;
  if (of < 4) return {};
  if (of < 20) return { devices: [`bench-${(i * 7919) % devices}`] };
  if (of < 24) return { devices: [`bench-${i % 10}*`] };
  if (of < 40) return { sites: [site] };
  return { sites: [site], types: [type] };
}

/** Rules for all devices; one reading in a hundred is beyond a limit. */
export function crossingRules(): unknown[] {
  return NUMBERS.map((metric, i) => {
    const [low, high] = RANGES[metric];
    // Of five numbers among seven readings, each crosses in 1.4 % of the messages.
    const margin = (high - low) * 0.014;
    const condition =
      i % 2 === 0 ? { metric, is: "above", warning: high - margin } : { metric, is: "below", warning: low + margin };
    return { kind: "condition", conditions: [condition] };
  });
}
