import type { Pool } from "pg";
import type { DeviceView } from "@/server/contracts/devices";
import { CSV_METRICS, devicesCsvQuery } from "@/server/contracts/fleet";
import { type DeviceFilter, readDevices } from "@/server/catalog/device-list";
import { findOrder, type ReadLatest } from "@/server/catalog/device-values";
import { labelsText } from "@/server/domain/device-labels";
import { findMetrics } from "@/server/catalog/metrics";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { DeviceTwins } from "@/server/ports/device-twins";
import { csvLines, type CsvValue, metricHeading } from "../csv";
import { readSort } from "../devices/sort";
import { toDeviceView } from "../devices/view";
import { toInstant } from "../instant";
import { fileAnswer, NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly twins: Pick<DeviceTwins, "get">;
  readonly readLatest: ReadLatest;
  readonly staleSeconds: number;
}

/** Devices read, and held in memory, at a time. */
const CHUNK = 500;

const COLUMNS = {
  id: (device) => device.id,
  site: (device) => device.site,
  type: (device) => device.type,
  state: (device) => device.state,
  firstSeen: (device) => device.firstSeen,
  lastSeen: (device) => device.lastSeen,
  lastEventTime: (device) => device.lastEventTime,
  messages: (device) => device.messages,
  conflicts: (device) => device.conflicts,
  labels: (device) => labelsText(device.labels),
} as const satisfies Record<string, (device: DeviceView) => CsvValue>;

export const exportDevices = verb(
  {
    method: "GET",
    path: "/api/v1/devices.csv",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "Devices that match, with their latest values, as CSV",
    description:
      "RFC 4180 with a header line; times are RFC 3339 in UTC; units are those of GET /api/v1/metrics, unless a device has its own. Texts that a " +
      'spreadsheet would run as a formula begin with an apostrophe; a metric with the name of a column of the device is headed "metric state". The devices are those that match when the request arrives.',
    params: NO_PARAMETERS,
    query: devicesCsvQuery,
    answer: fileAnswer,
    status: 200,
    problems: [],
    file: { contentType: "text/csv; charset=utf-8; header=present", schema: { type: "string" } },
  },
  ({ pool, prisma, twins, readLatest, staleSeconds }: Deps) =>
    async (ctx, { query: { sort, metrics, ...filter } }) => {
      const time = ctx.now;
      const { sites } = ctx;
      const wanted = { ...filter, sites, now: time, staleSeconds };
      const [{ ids }, names] = await Promise.all([
        findOrder(pool, readLatest, { ...wanted, ...readSort(sort) }),
        metrics ?? findMetrics(prisma, sites).then((all) => all.slice(0, CSV_METRICS).map(({ name }) => name)),
      ]);
      const text = linesOf({ pool, twins }, ids, names, { sites, now: time, staleSeconds });
      const name = `devices-${toInstant(time).slice(0, 19).replaceAll(":", "")}Z.csv`;
      return { name, text };
    },
);

/** The header and every device in its order; one that is gone or moved away meanwhile is left out. */
async function* linesOf(
  { pool, twins }: Pick<Deps, "pool" | "twins">,
  ids: readonly string[],
  metrics: readonly string[],
  at: Pick<DeviceFilter, "sites" | "now" | "staleSeconds">,
): AsyncGenerator<string> {
  const ours = Object.keys(COLUMNS);
  yield csvLines([[...ours, ...metrics.map((metric) => metricHeading(metric, ours))]]);
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = ids.slice(start, start + CHUNK);
    const [devices, known] = await Promise.all([readDevices(pool, chunk, at), twins.get(chunk)]);
    const lines: CsvValue[][] = [];
    for (const id of chunk) {
      const found = devices.get(id);
      if (found === undefined) continue;
      const device = toDeviceView(found, known.get(id), at.now, at.staleSeconds);
      const columns = Object.values(COLUMNS).map((read) => read(device));
      const values = known.get(id)?.values;
      lines.push([...columns, ...metrics.map((metric) => values?.get(metric)?.value)]);
    }
    yield csvLines(lines);
  }
}
