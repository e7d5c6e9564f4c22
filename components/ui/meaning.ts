import type { CurrentValue } from "@/server/contracts/common";
import type { DeviceView } from "@/server/contracts/devices";
import type { MetricView } from "@/server/contracts/metrics";
import { readable } from "@/server/domain/readable";

/** The metrics there are, by name. */
export type KnownMetrics = ReadonlyMap<string, MetricView>;

/** Metrics by any of their names; none while they aren't loaded. */
export function metricsByName(metrics: readonly MetricView[] | undefined): KnownMetrics {
  return new Map(metrics?.flatMap((metric) => [metric.name, ...metric.aliases].map((name) => [name, metric])));
}

/** The unit of a metric at a device, as it is shown: its own, or the metric's; null is none. */
export function unitOf(device: Pick<DeviceView, "units">, name: string, metric: { unit: string | null } | undefined) {
  const unit = Object.hasOwn(device.units, name) ? device.units[name]! : (metric?.unit ?? null);
  return unit === null ? null : readable(unit);
}

/** True if the unit shown is one that an earlier version made up from the metric's name. */
export function isGuessed(device: Pick<DeviceView, "units">, metric: MetricView | undefined): boolean {
  return metric?.meaning === "guessed" && metric.unit !== null && !Object.hasOwn(device.units, metric.name);
}

/**
 * A latest value as its metric is shown: as true or false only while nothing but booleans has come from any device. A
 * value that came live is a number either way.
 */
export function shownAs(value: CurrentValue["value"], kind: MetricView["kind"] | undefined): CurrentValue["value"] {
  if (kind === "number" && typeof value === "boolean") return Number(value);
  if (kind === "boolean" && typeof value === "number") return value !== 0;
  return value;
}
