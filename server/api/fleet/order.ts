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
/** Of a selection, which is asked for again with every letter typed. */
const SAMPLED_MATCHES = 100;
const COMMON_METRICS = 8;
const REPORTED_METRICS = 100;
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
    const sampled = async (sites: Sites) => findReported(twins, await sampleDevices(pool, sites, SAMPLED_DEVICES));
    const found = keptByKey(COMMON_FOR_MS, sampled);
    // What found nothing yet is asked for again the next time.
    const foundNow = keptByKey(0, sampled);
    async function ofFleet(sites: Sites, time: EpochMs): Promise<Reported> {
      const reported = await found(sites, time);
      return reported.metrics.length > 0 ? reported : foundNow(sites, time);
    }
    return async (ctx, { query: { rows, sort, ...filter } }) => {
      const time = ctx.now;
      const { sites } = ctx;
      const wanted = { ...filter, ...readSort(sort), sites, now: time, staleSeconds };
      const { ids } = await findOrder(pool, readLatest, wanted);
      const isAll = Object.values(filter).every((value) => value === undefined);
      const first = ids.slice(0, rows);
      const [devices, known, reported] = await Promise.all([
        readDevices(pool, first, { sites, now: time, staleSeconds }),
        twins.get(first),
        isAll ? ofFleet(sites, time) : findReported(twins, someOf(ids, SAMPLED_MATCHES)),
      ]);
      return {
        ids: [...ids],
        tag: createHash("md5").update(ids.join(",")).digest("hex"),
        time: toInstant(time),
        items: first.flatMap((id) => {
          const device = devices.get(id);
          return device ? [toDeviceView(device, known.get(id), time, staleSeconds)] : [];
        }),
        commonMetrics: reported.numbers.slice(0, COMMON_METRICS),
        reportedMetrics: reported.metrics.slice(0, REPORTED_METRICS),
        staleSeconds,
      };
    };
  },
);

/** What devices report, the most common first. */
interface Reported {
  readonly numbers: readonly string[];
  /** Numbers and booleans. */
  readonly metrics: readonly string[];
}

/** The metrics in the twins of these devices. */
async function findReported(twins: Pick<DeviceTwins, "get">, devices: readonly string[]): Promise<Reported> {
  const counts = { number: new Map<string, number>(), metric: new Map<string, number>() };
  const count = (of: Map<string, number>, name: string) => of.set(name, (of.get(name) ?? 0) + 1);
  for (const { values } of (await twins.get(devices)).values())
    for (const [name, { value }] of values) {
      if (typeof value === "number") count(counts.number, name);
      if (typeof value !== "string") count(counts.metric, name);
    }
  return { numbers: ranked(counts.number), metrics: ranked(counts.metric) };
}

function ranked(counts: ReadonlyMap<string, number>): string[] {
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name);
}

/** At most so many of a list, from all over it. */
function someOf<T>(list: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, list.length / most);
  return Array.from({ length: Math.min(most, list.length) }, (_, i) => list[Math.floor(i * step)]!);
}
