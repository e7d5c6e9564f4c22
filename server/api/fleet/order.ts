import { createHash } from "node:crypto";
import type { Pool } from "pg";
import { keptByKey } from "@/server/async/kept-for";
import type { Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import { fleetOrderAnswer, fleetOrderQuery } from "@/server/contracts/fleet";
import { readDevices, sampleDevices } from "@/server/catalog/device-list";
import { findOrder, type ReadLatest } from "@/server/catalog/device-values";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { readSort } from "../devices/sort";
import { toDeviceView } from "../devices/view";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly readLatest: ReadLatest;
  readonly staleSeconds: number;
}

const SAMPLED_DEVICES = 200;
const COMMON_METRICS = 8;
const COMMON_FOR_MS = 60_000;

export const getFleetOrder = verb(
  {
    method: "GET",
    path: "/api/v1/fleet/order",
    access: "view",
    bySite: true,
    summary: "Every device that matches, in order, the first of them in full",
    description:
      "For lists that are scrolled freely: the order stays what it was when it was asked for, however values change, and " +
      "rows are loaded with `ids` of GET /api/v1/devices. The summary's `tag` tells when a new order would differ.",
    params: NO_PARAMETERS,
    query: fleetOrderQuery,
    answer: fleetOrderAnswer,
    status: 200,
    problems: [],
  },
  ({ pool, twins, readLatest, staleSeconds }: Deps) => {
    const found = keptByKey(COMMON_FOR_MS, (sites: Sites) => findCommonMetrics(pool, twins, sites));
    // What found nothing yet is asked for again the next time.
    const foundNow = keptByKey(0, (sites: Sites) => findCommonMetrics(pool, twins, sites));
    async function commonMetrics(sites: Sites, time: EpochMs): Promise<string[]> {
      const names = await found(sites, time);
      return names.length > 0 ? names : foundNow(sites, time);
    }
    return async (ctx, { query: { rows, sort, ...filter } }) => {
      const time = ctx.now;
      const { sites } = ctx;
      const wanted = { ...filter, ...readSort(sort), sites, now: time, staleSeconds };
      const [{ ids }, names] = await Promise.all([findOrder(pool, readLatest, wanted), commonMetrics(sites, time)]);
      const first = ids.slice(0, rows);
      const [devices, known] = await Promise.all([
        readDevices(pool, first, { sites, now: time, staleSeconds }),
        twins.get(first),
      ]);
      return {
        ids: [...ids],
        tag: createHash("md5").update(ids.join(",")).digest("hex"),
        time: toInstant(time),
        items: first.flatMap((id) => {
          const device = devices.get(id);
          return device ? [toDeviceView(device, known.get(id), time, staleSeconds)] : [];
        }),
        commonMetrics: names,
        staleSeconds,
      };
    };
  },
);

/** Names of numbers in the twins of a sample of devices, the most common first. */
async function findCommonMetrics(pool: Pool, twins: Pick<DeviceTwins, "get">, sites: Sites): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const { values } of (await twins.get(await sampleDevices(pool, sites, SAMPLED_DEVICES))).values())
    for (const [name, { value }] of values)
      if (typeof value === "number") counts.set(name, (counts.get(name) ?? 0) + 1);
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ranked.slice(0, COMMON_METRICS).map(([name]) => name);
}
