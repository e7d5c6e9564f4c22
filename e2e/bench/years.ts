import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import type { FleetOrder } from "@/server/contracts/fleet";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { type Product, startProduct } from "../product";
import { drainBacklog } from "./backlog";
import { machine, markdownTable, median } from "./report";
import { removeOldest } from "./years-retention";
import { createLoader, type Loader, MINUTELY, SECONDLY } from "./years-data";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const RANGES = { "1 h": HOUR, "24 h": DAY, "7 d": 7 * DAY, "30 d": 30 * DAY, "1 year": 365 * DAY };
const GROWTH = ["10000000", "30000000", "100000000"];

/**
 * Fills a database with readings of many devices through the code that the worker writes and merges with, and measures what people and
 * the worker notice of it: charts, the list of devices, the rate of draining, the room it takes, and at the end the removal of old months.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      readings: { type: "string", multiple: true, default: ["10000000"] },
      /** 10, 30 and 100 million one after the other. */
      growth: { type: "boolean", default: false },
      messages: { type: "string", default: "100000" },
      rounds: { type: "string", default: "9" },
    },
  });
  const sizes = (values.growth ? GROWTH : values.readings).map(Number);
  const options = { messages: Number(values.messages), rounds: Number(values.rounds) };
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-years-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    console.log(machine());
    // The first of everything is slow once: it is no measure of an empty database.
    await drainRate(product, 20_000);
    const columns: Record<string, string>[] = [{ "drain of one worker": await drainRate(product, options.messages) }];
    const loader = await createLoader(product.connectionString(), Math.max(...sizes));
    try {
      for (const size of sizes) {
        const figures = await measure(product, loader, size, options);
        columns.push(figures);
        // What is known so far, should a later size not come to its end.
        console.log(`\n${markdownTable([`${size / 1e6} M`, ""], Object.entries(figures))}`);
      }
      Object.assign(columns.at(-1)!, await removeOldest(product, loader.to));
    } finally {
      await loader.end();
    }
    const names = [...new Set(columns.flatMap(Object.keys))].sort(
      (a, b) => Number(a.startsWith("drain")) - Number(b.startsWith("drain")),
    );
    console.log(`load average at the end: ${loadavg().map(Math.round).join(", ")}`);
    const rows = names.map((name) => [name, ...columns.map((column) => column[name] ?? "–")]);
    const head = ["readings stored", "none", ...sizes.map((size) => `${size / 1e6} M`)];
    console.log(`\n${markdownTable(head, rows)}`);
    return 0;
  } catch (error) {
    console.error(product.log().slice(-3000));
    throw error;
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  product: Product,
  loader: Loader,
  size: number,
  { messages, rounds }: { messages: number; rounds: number },
): Promise<Record<string, string>> {
  const loaded = await loader.loadUpTo(size);
  const figures: Record<string, string> = {
    "written and merged": `${Math.round(loaded.perSecond / 1000)} K readings/s`,
  };
  for (const [what, device] of [
    ["a reading a second for 30 days", SECONDLY],
    ["a reading a minute for a year", MINUTELY],
  ] as const)
    for (const [range, ms] of Object.entries(RANGES))
      figures[`chart of ${range}, ${what}`] = await timed(rounds, async (round) => {
        const to = loader.to - round * 60_000;
        const query = `metric=temperature&maxPoints=250&from=${new Date(to - ms).toISOString()}&to=${new Date(to).toISOString()}`;
        await product.get(`/api/v1/devices/${device}/readings?${query}`);
      });
  const order = () => product.get<FleetOrder>("/api/v1/fleet/order?rows=50");
  const ids = (await order()).items.map(({ id }) => id).join(",");
  figures["list of devices, 50 rows"] = await timed(rounds, order);
  figures["lines of the last hour for these"] = await timed(rounds, () =>
    product.get(`/api/v1/fleet/sparklines?ids=${ids}&metric=temperature`),
  );
  const { totals } = await product.get<PipelineAnswer>("/api/v1/pipeline");
  Object.assign(figures, await bytes(product, loaded.readings + totals.readings));
  figures["drain of one worker"] = await drainRate(product, messages);
  return figures;
}

/** Messages a second. */
async function drainRate(product: Product, messages: number): Promise<string> {
  const { drainMs } = await drainBacklog(product, messages);
  return `${Math.round(messages / (drainMs / 1000))} messages/s`;
}

async function timed(rounds: number, work: (round: number) => Promise<unknown>): Promise<string> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await work(round);
    took.push(performance.now() - began);
  }
  return `${Math.round(median(took))} ms (${Math.round(Math.max(...took))})`;
}

/** Bytes on disk a reading, with indexes, of each table that grows with the readings. */
async function bytes(product: Product, readings: number): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: product.connectionString() });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; bytes: number }>(
      `SELECT t.name, pg_total_relation_size(t.name::regclass)
         + (SELECT coalesce(sum(pg_total_relation_size(p.relid)), 0) FROM pg_partition_tree(t.name::regclass) p)::float8 AS bytes
       FROM unnest('{sample,rollup_minute,rollup_hour}'::text[]) AS t (name)`,
    );
    return Object.fromEntries(rows.map((row) => [`bytes a reading, ${row.name}`, (row.bytes / readings).toFixed(2)]));
  } finally {
    await client.end();
  }
}
