import type { Pool } from "pg";
import { z } from "zod";
import { downloadQuery } from "@/server/contracts/devices";
import { type CatalogMetric, findDevice, findMetric } from "@/server/database/devices";
import type { PrismaClient } from "@/server/database/prisma";
import { besideEachOther, exportRows, type ExportRow } from "@/server/database/reading-export";
import { readSeries } from "@/server/database/reading-queries";
import { verb } from "../verb";
import { csvOf, jsonOf, type Sheet, type SheetColumn } from "./download-text";
import { deviceParams, noDevice, noMetric } from "./id";
import { rangeAsked } from "./range";

interface Deps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly now: () => number;
}

type Query = z.output<typeof downloadQuery>;

const COMMON = {
  method: "GET",
  params: deviceParams,
  query: downloadQuery,
  answer: z.instanceof(Response),
  status: 200,
  problems: ["not-found"],
} as const;

const WHAT =
  "One row a time, one column a metric. raw is every reading, minute and hour every rollup in the range, however many there are: the answer is " +
  "streamed. auto is what a chart of maxPoints shows. An answer that breaks off was not complete.";

export const downloadCsv = verb(
  {
    ...COMMON,
    path: "/api/v1/devices/{id}/readings.csv",
    summary: "Readings of a device as a CSV file",
    description: WHAT,
    media: "text/csv",
  },
  ({ pool, prisma, now }: Deps) =>
    async ({ params: { id }, query }) =>
      file(id, "csv", "text/csv; charset=utf-8", csvOf(await sheet(pool, prisma, now, id, query))),
);

export const downloadJson = verb(
  {
    ...COMMON,
    path: "/api/v1/devices/{id}/readings.json",
    summary: "Readings of a device as a JSON file",
    description: WHAT,
    media: "application/json",
  },
  ({ pool, prisma, now }: Deps) =>
    async ({ params: { id }, query }) =>
      file(id, "json", "application/json", jsonOf(await sheet(pool, prisma, now, id, query))),
);

/** What is asked for, found and ready to be read. @throws ProblemError for a device or metric that isn't there. */
async function sheet(pool: Pool, prisma: PrismaClient, now: () => number, id: string, query: Query): Promise<Sheet> {
  const { from, to } = rangeAsked(query, now());
  const [device, ...metrics] = await Promise.all([
    findDevice(prisma, id),
    ...query.metric.map((name) => findMetric(prisma, name).then((found) => found ?? Promise.reject(noMetric(name)))),
  ]);
  if (device === null) throw noDevice(id);
  const { resolution, maxPoints } = query;
  if (resolution !== "auto") {
    const bucketMs = { raw: 0, minute: 60_000, hour: 3_600_000 }[resolution];
    const columns = metrics.map((metric) => columnOf(metric, resolution, bucketMs));
    const wanted = { device: device.key, metrics: metrics.map(({ key }) => key), from, to };
    return { device: device.name, from, to, columns, chunks: exportRows(pool, resolution, wanted) };
  }
  const series = await Promise.all(
    metrics.map((metric) =>
      readSeries(pool, { device: device.key, metric: metric.key, from, to, resolution, maxPoints }),
    ),
  );
  const columns = metrics.map((metric, i) => columnOf(metric, series[i]!.resolution, series[i]!.bucketMs));
  const rows = besideEachOther(series.map(({ points }) => points));
  return { device: device.name, from, to, columns, chunks: one(rows) };
}

function columnOf({ name, unit, kind }: CatalogMetric, resolution: SheetColumn["resolution"], bucketMs: number) {
  return { name, unit, kind, resolution, bucketMs };
}

async function* one(rows: readonly ExportRow[]): AsyncGenerator<readonly ExportRow[]> {
  yield rows;
}

/** Text as a file, made as fast as it is taken. */
function file(device: string, ending: string, type: string, text: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await text.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await text.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="${device.replaceAll(":", "_")}.${ending}"`,
      "cache-control": "no-store",
    },
  });
}
