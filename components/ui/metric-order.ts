/** Metrics that devices report about themselves rather than about the world. */
const HOUSEKEEPING = /^(battery|rssi|snr|signal|uptime|firmware)/i;

/** Metric names in the order every page shows them: what is measured first, by name, then the device's own state. */
export function inMetricOrder(names: readonly string[]): string[] {
  const rank = (name: string) => (HOUSEKEEPING.test(name) ? 1 : 0);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}
