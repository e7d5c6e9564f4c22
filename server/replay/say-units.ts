import { MOST_UNIT_DEVICES, type MetricChanges, metricChanged } from "@/server/contracts/metrics";
import { ask } from "@/server/delivery/ask";
import type { Authorization } from "@/server/delivery/authorization";
import { routeBeside } from "@/server/delivery/target";
import { counted } from "@/server/domain/counted";
import type { CsvPlan } from "./csv-plan";

const ANSWER_WITHIN_MS = 10_000;

/**
 * Says the units that stand in a file, of its own devices alone; what somebody has said before stays. Once, when the devices
 * and metrics are known to the catalog: best effort.
 * @returns what became of it, in words; null if the file names no unit.
 */
export async function sayUnits(
  telemetry: URL,
  plan: CsvPlan | null,
  devices: ReadonlySet<string>,
  authorization: Authorization,
  stop: AbortSignal,
): Promise<string | null> {
  const named = plan?.metrics.flatMap(({ metric, unit }) => (unit === null ? [] : [{ metric, unit }])) ?? [];
  if (named.length === 0 || devices.size === 0) return null;
  const failed: string[] = [];
  for (const { metric, unit } of named) {
    const url = routeBeside(telemetry, `metrics/${encodeURIComponent(metric)}`);
    if (!(await say(url, unit, [...devices], authorization, stop))) failed.push(`${metric} (${unit})`);
  }
  const said = counted(named.length - failed.length, "unit");
  return failed.length === 0
    ? `${said} said of ${counted(devices.size, "device")}; what somebody had said before stays.`
    : `${said} said of ${counted(devices.size, "device")}; not said, as the server did not take it: ${failed.join(", ")}.`;
}

async function say(
  url: URL,
  unit: string,
  devices: readonly string[],
  authorization: Authorization,
  stop: AbortSignal,
): Promise<boolean> {
  for (let at = 0; at < devices.length; at += MOST_UNIT_DEVICES) {
    const body: MetricChanges = { unit, devices: devices.slice(at, at + MOST_UNIT_DEVICES), unsetOnly: true };
    try {
      const { status, text } = await ask(url, {
        method: "PATCH",
        headers: { "content-type": "application/json", ...authorization() },
        body: JSON.stringify(body),
        signal: AbortSignal.any([stop, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      if (status !== 200 || !metricChanged.safeParse(JSON.parse(text)).success) return false;
    } catch {
      return false;
    }
  }
  return true;
}
