import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import type { CostAnswer } from "@/server/contracts/cost";
import { request } from "../drills/old-months";
import { drained } from "../drills/pipeline";
import { type Product, startProduct } from "../product";
import { until } from "../waiting";
import { fill } from "./backlog";
import { machine, markdownTable } from "./report";

/** The page's growth may be off by this part of what the disk did. */
const BAR = 0.1;
/** What makes small blocks large ones, and rollups. */
const MERGES = ["readings-merge", "archive-merge", "readings-quarters"];

/**
 * Holds the page Cost against the disk: what it says of growth after some of the messages, and what the database grew by with the rest. Embedded
 * engines, whose log lies in the database too. Fails beyond 10 %.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      messages: { type: "string", default: "10000000" },
      /** After so many the page is asked, as often as it is given; a hundred come in a second, and rollups of minutes are made once an hour is over. */
      first: { type: "string", multiple: true, default: ["1000000"] },
    },
  });
  const messages = Number(values.messages);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-cost-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const began = Date.now() - messages * 10;
    const look = async (from: number, to: number) => {
      await fill(product, to - from, { from, began });
      await drained(product, to, 3_600_000);
      for (const job of MERGES) await ran(product, job);
      return { cost: await product.get<CostAnswer>("/api/v1/cost"), bytes: await databaseBytes(product) };
    };
    const looks: { at: number; cost: CostAnswer; bytes: number }[] = [];
    let at = 0;
    for (const to of [...values.first.map(Number), messages]) {
      looks.push({ at: to, ...(await look(at, to)) });
      at = to;
    }
    console.log(machine());
    const after = looks.pop()!;
    const off = looks.map((before) => {
      const added = after.at - before.at;
      const rows = before.cost.stores.map(({ store, perMessage, bytes, free }) => {
        const then = after.cost.stores.find((one) => one.store === store)!;
        return [store, mib((perMessage ?? 0) * added), mib(then.bytes - bytes), mib(free), mib(then.free)];
      });
      const told = before.cost.stores.reduce((sum, { perMessage }) => sum + (perMessage ?? 0) * added, 0);
      const grown = after.bytes - before.bytes;
      rows.push(["all, and what the database grew by", mib(told), mib(grown), "", ""]);
      const header = [
        `${added} messages after ${before.at}`,
        "said by the page, MiB",
        "on disk",
        "free before",
        "then",
      ];
      console.log(`\n${markdownTable(header, rows)}`);
      const part = told / grown - 1;
      console.log(`\nThe page is off by ${(part * 100).toFixed(1)} % (bar: ${BAR * 100} %).`);
      return Math.abs(part);
    });
    return off.every((part) => part <= BAR) ? 0 : 1;
  } catch (error) {
    console.error(product.log().slice(-3000));
    throw error;
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the database takes, once pages that were freed can be used again. */
async function databaseBytes(product: Product): Promise<number> {
  const client = new pg.Client({ connectionString: product.connectionString() });
  await client.connect();
  try {
    await client.query("VACUUM");
    const { rows } = await client.query<{ bytes: number }>(
      "SELECT pg_database_size(current_database())::float8 AS bytes",
    );
    return rows[0]!.bytes;
  } finally {
    await client.end();
  }
}

const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** Waits for what runs of a job, and has it run once more. */
async function ran(product: Product, job: string): Promise<void> {
  const ended = () =>
    until(
      async () => {
        const { items } = await product.get<{ items: { state: string }[] }>(`/api/v1/jobs/${job}/runs`);
        return items.every(({ state }) => !["waiting", "running", "stopping"].includes(state));
      },
      { timeoutMs: 1_200_000, everyMs: 500, what: `the runs of ${job} to end` },
    );
  await ended();
  await request({ product }, job);
  await ended();
}
