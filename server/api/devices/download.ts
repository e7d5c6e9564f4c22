import type { Pool } from "pg";
import type { z } from "zod";
import { downloadQuery } from "@/server/contracts/devices";
import { type CatalogDevice, type DeviceNotes, findDevice } from "@/server/catalog/devices";
import { type CatalogMetric, findMetric, unitAt } from "@/server/catalog/metrics";
import type { Context } from "@/server/postgres/context";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { ColdReader } from "@/server/readings/cold/reader";
import { besideEachOther, exportRows, type ExportRow } from "@/server/readings/reading-export";
import { readSeries } from "@/server/readings/reading-queries";
import { toInstantOrNull } from "../instant";
import { fileAnswer, verb } from "../verb";
import { within } from "../within";
import { csvOf, jsonOf, type Sheet, type SheetColumn } from "./download-text";
import { deviceParams, noDevice, noMetric } from "./id";
import { rangeAsked } from "./range";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly cold: ColdReader;
}

type Query = z.output<typeof downloadQuery>;

const COMMON = {
  method: "GET",
  params: deviceParams,
  query: downloadQuery,
  answer: fileAnswer,
  status: 200,
  problems: ["not-found", "cold-storage-unavailable"],
} as const;

const WHAT =
  "One row a time, one column a metric. raw is every reading, minute and hour every rollup in the range, however many there are: the answer is " +
  "streamed. auto is what a chart of maxPoints shows. An answer that breaks off was not complete.";

export const downloadCsv = verb(
  {
    ...COMMON,
    path: "/api/v1/devices/{id}/readings.csv",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "Readings of a device as a CSV file",
    description:
      WHAT +
      " Where numbers were rounded, because no double holds them as they were sent, a last column `rounded` names the metrics of the row that may " +
      "be, with spaces between.",
    file: { contentType: "text/csv; charset=utf-8", schema: { type: "string" } },
  },
  (deps: Deps) =>
    async (ctx, { params: { id }, query }) => ({
      name: nameOf(id, "csv"),
      text: csvOf(await sheet(deps, ctx, id, query)),
    }),
);

export const downloadJson = verb(
  {
    ...COMMON,
    path: "/api/v1/devices/{id}/readings.json",
    access: "view-messages",
    bySite: true,
    audited: "seen",
    summary: "Readings of a device as a JSON file",
    description: WHAT,
    file: { contentType: "application/json", schema: { type: "object" } },
  },
  (deps: Deps) =>
    async (ctx, { params: { id }, query }) => ({
      name: nameOf(id, "json"),
      text: jsonOf(await sheet(deps, ctx, id, query)),
    }),
);

/** Finds the series that is asked for, ready to be read. @throws ProblemError for a device or metric that isn't there. */
async function sheet({ pool, prisma, cold }: Deps, ctx: Context, id: string, query: Query): Promise<Sheet> {
  const { sites } = ctx;
  const { from, to } = rangeAsked(query, ctx.now);
  const [device, ...found] = await Promise.all([
    within(
      ctx,
      (where) => findDevice(prisma, id, where),
      () => noDevice(id),
      () => id,
    ),
    ...query.metric.map((name) => findMetric(prisma, name, sites)),
  ]);
  // After the device, always: which of the two is told must not depend on which was found out first.
  const metrics = query.metric.map((name, i) => {
    const metric = found[i];
    if (!metric) throw noMetric(name);
    return metric;
  });
  const { resolution, maxPoints } = query;
  if (resolution !== "auto") {
    const bucketMs = { raw: 0, minute: 60_000, hour: 3_600_000 }[resolution];
    const columns = metrics.map((metric) => columnOf(device, metric, resolution, bucketMs));
    const wanted = { sites, device: device.key, metrics: metrics.map(({ key }) => key), from, to };
    return { device: device.name, from, to, columns, chunks: exportRows(pool, resolution, wanted, cold) };
  }
  const series = await Promise.all(
    metrics.map((metric) =>
      readSeries(pool, { sites, device: device.key, metric: metric.key, from, to, resolution, maxPoints }, cold),
    ),
  );
  const columns = metrics.map((metric, i) => columnOf(device, metric, series[i]!.resolution, series[i]!.bucketMs));
  const rows = besideEachOther(series.map(({ points }) => points));
  return { device: device.name, from, to, columns, chunks: one(rows) };
}

function columnOf(
  device: CatalogDevice & DeviceNotes,
  metric: CatalogMetric,
  resolution: SheetColumn["resolution"],
  bucketMs: number,
): SheetColumn {
  const { name, kind } = metric;
  const rounded = toInstantOrNull(device.rounded.get(name) ?? null);
  return { name, unit: unitAt(device, metric), kind, rounded, resolution, bucketMs };
}

async function* one(rows: readonly ExportRow[]): AsyncGenerator<readonly ExportRow[]> {
  yield rows;
}

function nameOf(device: string, ending: string): string {
  return `${device.replaceAll(":", "_")}.${ending}`;
}
