import { type Backoff, pause } from "@/server/async/backoff";
import { MOST_UNIT_DEVICES, type MetricChanges, metricChanged } from "@/server/contracts/metrics";
import { ask } from "@/server/delivery/ask";
import type { Authorization } from "@/server/delivery/authorization";
import type { Logger } from "@/server/observability/logger";
import { DEVICE_TYPES } from "./device-types";
import type { SimulatedDevice } from "./fleet";

const ANSWER_WITHIN_MS = 10_000;

interface DeclareUnitsDeps {
  /** The telemetry route; the one for metrics is beside it. */
  readonly url: URL;
  readonly authorization: Authorization;
  readonly devices: readonly Pick<SimulatedDevice, "name" | "type">[];
  readonly backoff: Backoff;
  readonly logger: Logger;
  readonly stop: AbortSignal;
}

/** Devices whose unit of a metric is still to be said. */
interface Waiting {
  readonly metric: string;
  readonly unit: string;
  readonly devices: readonly string[];
}

/**
 * Says the units of the simulated devices, for these alone and never over what a person has said. A device can be given
 * one once it has reported; until then, and while the server is away, it is tried again. Settles when all are said, or
 * the signal stops it.
 */
export async function declareUnits({
  url,
  authorization,
  devices,
  backoff,
  logger,
  stop,
}: DeclareUnitsDeps): Promise<void> {
  let waiting = unitsOf(devices);
  while (waiting.length > 0 && !stop.aborted) {
    const left: Waiting[] = [];
    for (const one of waiting) left.push(...(await declare(url, authorization, one, stop)));
    waiting = left;
    if (waiting.length > 0) await pause(backoff.next(), stop);
  }
  if (!stop.aborted) logger.info({ devices: devices.length }, "the units of the simulated devices are set");
}

/** Returns the units to declare, in parts that the route takes at once. */
function unitsOf(devices: DeclareUnitsDeps["devices"]): Waiting[] {
  const parts: Waiting[] = [];
  const open = new Map<string, string[]>();
  for (const { name, type } of devices)
    for (const [metric, unit] of Object.entries(DEVICE_TYPES[type].units)) {
      const key = `${metric} ${unit}`;
      let names = open.get(key);
      if (!names || names.length === MOST_UNIT_DEVICES) {
        open.set(key, (names = []));
        parts.push({ metric, unit, devices: names });
      }
      names.push(name);
    }
  return parts;
}

/** @returns what is still to be said. */
async function declare(url: URL, authorization: Authorization, one: Waiting, stop: AbortSignal): Promise<Waiting[]> {
  const body: MetricChanges = { unit: one.unit, devices: [...one.devices], unsetOnly: true };
  try {
    const { status, text } = await ask(new URL(`metrics/${encodeURIComponent(one.metric)}`, url), {
      method: "PATCH",
      headers: { "content-type": "application/json", ...authorization() },
      body: JSON.stringify(body),
      signal: AbortSignal.any([stop, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    if (status !== 200) return [one];
    const { unknownDevices } = metricChanged.parse(JSON.parse(text));
    return unknownDevices.length > 0 ? [{ ...one, devices: unknownDevices }] : [];
  } catch {
    // A server that is away, or another than this one, is told of by the delivery of messages.
    return [one];
  }
}
