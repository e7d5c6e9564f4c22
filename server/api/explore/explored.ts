import type { Pool } from "pg";
import type { z } from "zod";
import { findSeriesDevices, type SeriesDevice } from "@/server/catalog/device-list";
import { narrowByValues, type ReadLatest } from "@/server/catalog/device-values";
import { type CatalogMetric, findMetric } from "@/server/catalog/metrics";
import { type exploreQuery, MOST_DEVICES, MOST_LINES, MOST_STEPS } from "@/server/contracts/explore";
import { type Figures, figuresOf, groupOf, type Step, type StepSeries } from "@/server/domain/explore/series";
import type { Context } from "@/server/postgres/context";
import type { PrismaClient } from "@/server/postgres/prisma";
import type { ColdReader } from "@/server/readings/cold/reader";
import { type FleetQuery, type FleetSeries, type Held, readFleetSeries } from "@/server/readings/fleet-series";
import { noMetric } from "../devices/id";
import { rangeAsked } from "../devices/range";
import { invalid } from "../parse";

export interface ExploreDeps {
  readonly pool: Pool;
  readonly prisma: PrismaClient;
  readonly cold: ColdReader;
  readonly readLatest: ReadLatest;
  readonly staleSeconds: number;
}

type Query = z.output<typeof exploreQuery>;

/** A series as asked for: a device, or those of a site or type that have one unit. */
interface Asked extends Pick<SeriesDevice, "name" | "site" | "type" | "unit"> {
  readonly id: string;
  readonly devices: readonly SeriesDevice[];
}

/** A series with what it was. */
export interface Shown extends Omit<Asked, "devices" | "name"> {
  readonly name: string | null;
  readonly devices: number;
  readonly figures: Figures;
  readonly points: readonly Step[];
  /** Of a flag of one device. */
  readonly held: Held | null;
}

/** What was found of all series in one stretch of time. Times in epoch milliseconds. */
export interface Stretch extends Omit<FleetSeries, "series" | "held"> {
  readonly series: readonly Shown[];
}

export interface Explored extends Stretch {
  readonly metric: CatalogMetric;
  readonly shape: "lines" | "strips";
  readonly units: readonly { readonly unit: string | null; readonly devices: number }[];
  readonly matched: number;
  readonly read: number;
  readonly missing: readonly string[];
  readonly previous: (Stretch & { readonly shiftMs: number }) | null;
}

const DAY_MS = 86_400_000;
const STEPS = { lines: 300, strips: 160 } as const;

/** Reads what the page Explore shows. @throws ProblemError for a metric that isn't there, and where more devices would be put together than are read. */
export async function explore(deps: ExploreDeps, ctx: Context, query: Query): Promise<Explored> {
  const { pool, prisma, cold, readLatest, staleSeconds } = deps;
  const { sites } = ctx;
  const { from, to } = rangeAsked(query, ctx.now);
  const { metric: name, devices: ids, by, points, previous, ...filter } = query;
  delete filter.from;
  delete filter.to;
  const [metric, wanted] = await Promise.all([
    findMetric(prisma, name, sites),
    narrowByValues(readLatest, { ...filter, ids, sites, now: ctx.now, staleSeconds }),
  ]);
  if (metric === null) throw noMetric(name);
  const { devices: own, total } = await findSeriesDevices(pool, wanted, metric.key, MOST_DEVICES);
  if (by !== "device" && total > own.length) throw tooMany(total);
  const devices = own.map((device) => ({ ...device, unit: device.unit ?? metric.unit }));
  const asked = seriesOf(devices, by);
  const shape = asked.length > MOST_LINES ? "strips" : "lines";
  const range: FleetQuery = {
    ...{ sites, devices: devices.map(({ key }) => key), metric: metric.key, from, to },
    // Many devices put together are as much to read as strips of each.
    steps: { most: Math.min(points ?? STEPS[own.length > MOST_LINES ? "strips" : "lines"], MOST_STEPS[shape]) },
    withLast: shape === "lines" && by === "device",
    withHeld: shape === "lines" && by === "device" && metric.kind === "boolean",
  };
  const found = await readFleetSeries(pool, range, cold);
  const shiftMs = { range: to - from, day: DAY_MS, week: 7 * DAY_MS }[previous ?? "range"];
  // Event times begin in 1970: there is nothing before, and no range of it.
  const before = previous === undefined || from < shiftMs ? null : { from: from - shiftMs, to: to - shiftMs };
  const earlier =
    before && (await readFleetSeries(pool, { ...range, ...before, steps: { bucketMs: found.bucketMs } }, cold));
  const named = new Set(devices.map((device) => device.name));
  return {
    ...stretchOf(found, asked, by),
    ...{ metric, shape, units: unitsOf(devices), matched: total, read: devices.length },
    missing: (ids ?? []).filter((id) => !named.has(id)),
    previous: earlier && { ...stretchOf(earlier, asked, by), shiftMs },
  };
}

function tooMany(total: number) {
  const message = `${total} devices match, and ${MOST_DEVICES} at most can be put together: narrow them down by site, where or search`;
  return invalid([{ at: "by", message }]);
}

/** Values in different units are never put together: a site with two units is two series. */
function seriesOf(devices: readonly SeriesDevice[], by: Query["by"]): Asked[] {
  if (by === "device")
    return devices.map((device) => {
      const { name, site, type, unit } = device;
      return { id: name, name, site, type, unit, devices: [device] };
    });
  const groups = new Map<string, SeriesDevice[]>();
  for (const device of devices) {
    const key = JSON.stringify([device[by], device.unit]);
    const own = groups.get(key);
    if (own) own.push(device);
    else groups.set(key, [device]);
  }
  const isOneUnit = new Set(devices.map(({ unit }) => unit)).size <= 1;
  return [...groups.values()]
    .map((own) => {
      const { [by]: name, unit } = own[0]!;
      const id = isOneUnit ? (name ?? "") : `${name ?? ""} (${unit ?? "no unit"})`;
      return { id, name: name ?? "", site: null, type: null, unit, devices: own };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function stretchOf({ series, held, ...found }: FleetSeries, asked: readonly Asked[], by: Query["by"]): Stretch {
  return {
    ...found,
    series: asked.map(({ devices, name, ...about }) => {
      const own = devices.flatMap(({ key }): StepSeries[] => {
        const one = series.get(key);
        return one ? [one] : [];
      });
      const { points, figures } =
        by === "device" ? { points: own[0]?.points ?? [], figures: figuresOf(own[0]) } : groupOf(own);
      return {
        ...about,
        name: name === "" ? null : name,
        devices: devices.length,
        points,
        figures,
        held: held.get(devices[0]!.key) ?? null,
      };
    }),
  };
}

/** The units in use, the most common first. */
function unitsOf(devices: readonly SeriesDevice[]): { unit: string | null; devices: number }[] {
  const counts = new Map<string | null, number>();
  for (const { unit } of devices) counts.set(unit, (counts.get(unit) ?? 0) + 1);
  return [...counts].map(([unit, devices]) => ({ unit, devices })).sort((a, b) => b.devices - a.devices);
}
