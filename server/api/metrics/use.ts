import type { Pool } from "pg";
import { keptByKey } from "@/server/async/kept-for";
import { findDeviceOrder } from "@/server/catalog/device-list";
import { metricUseAnswer } from "@/server/contracts/metrics";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

/** The time an answer is kept, in milliseconds: it looks at the latest values of every device. */
const SHARED_MS = 5000;
/** Devices whose values are looked at together. */
const TOGETHER = 500;

interface Deps {
  readonly pool: Pool;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly staleSeconds: number;
}

export const listMetricUse = verb(
  {
    method: "GET",
    path: "/api/v1/metric-use",
    access: "view",
    bySite: true,
    summary: "How many devices have each metric, and when it came last",
    description: "By the latest values of every device. A metric that none has any more, or never had, is left out.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: metricUseAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, twins, staleSeconds }: Deps) => {
    const use = keptByKey(SHARED_MS, async (sites: Sites, now) =>
      usedIn(twins, await findDeviceOrder(pool, { sites, now, staleSeconds, order: "id", descending: false })),
    );
    return async (ctx) => ({
      items: [...(await use(ctx.sites, ctx.now))]
        .map(([name, { devices, latest }]) => ({ name, devices, lastEventTime: toInstant(latest) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    });
  },
);

/** The devices with each metric, and the event time of the latest value. Text is no reading, whatever its name. */
async function usedIn(twins: Deps["twins"], devices: readonly string[]) {
  const use = new Map<string, { devices: number; latest: EpochMs }>();
  for (let i = 0; i < devices.length; i += TOGETHER)
    for (const { values } of (await twins.get(devices.slice(i, i + TOGETHER))).values())
      for (const [name, { value, eventTime }] of values) {
        if (typeof value === "string") continue;
        const before = use.get(name);
        if (before === undefined) use.set(name, { devices: 1, latest: eventTime });
        else {
          before.devices++;
          before.latest = Math.max(before.latest, eventTime);
        }
      }
  return use;
}
