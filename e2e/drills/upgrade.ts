import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { JobsAnswer } from "@/server/contracts/jobs";
import type { DeadLettersAnswer } from "@/server/contracts/dead-letters";
import { migrate, readMigrations, withClient } from "@/server/postgres/migrate";
import { ROOT } from "../product";
import { until } from "../waiting";
import { createChecks } from "./checks";
import { readOptions } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";
import { SOURCES_APART } from "./recount";
import { isBad, type Row } from "./rows";
import { openStage, type Stage } from "./stage";
import { SENT_AGAIN, sentToOldest } from "./upgrade-messages";
import { verify } from "./verify";

/** The oldest version that came out, the migrations it had, and what it wrote. */
const OLDEST = { version: "0.1.0", before: "20261124999999", file: "e2e/fixtures/released/0.1.0.json.gz" } as const;
/** Jobs that bring what an earlier version wrote into the form of this one. */
const CONVERTING = ["readings-upgrade", "archive-merge"];
/** What is compared was made long ago: nothing of it may go by its age meanwhile. */
const KEEP = { ARCHIVE_RETENTION_DAYS: "36500", DEAD_LETTER_RETENTION_DAYS: "36500" };

/** A database's tables, as JSON rows by table in the order they refer to each other, and the partitions of those that are divided. */
export interface Dump {
  readonly partitions: readonly { readonly parent: string; readonly name: string; readonly bound: string }[];
  readonly tables: readonly { readonly name: string; readonly rows: readonly unknown[] }[];
}

/**
 * The product that is built comes up on a database that the oldest version wrote, takes messages meanwhile, and has all that was there before: nothing lost,
 * nothing counted twice, rollups equal to a recount, dead letters and latest values as they were.
 */
export async function main(argv: string[]): Promise<number> {
  return isBad(await upgrade(readOptions(argv))) ? 1 : 0;
}

/** @param short a lighter load meanwhile. */
export async function upgrade({ short }: { readonly short: boolean }): Promise<Row> {
  const began = performance.now();
  const checks = createChecks(`upgrade from ${OLDEST.version}`);
  const dump = JSON.parse(gunzipSync(readFileSync(path.join(ROOT, OLDEST.file))).toString("utf8")) as Dump;
  const stage = await openStage("postgres", "plain", KEEP, ({ env }) => fill(env.DATABASE_URL!, dump));
  const figures = { faults: 1, sent: 0, stored: 0, dead: 0, lost: 0, twice: 0 };
  const recoveries: number[] = [];
  try {
    const before = sentToOldest();
    const again = before.slice(SENT_AGAIN.from, SENT_AGAIN.to);
    for (const message of before) stage.ledger.acknowledge(message);
    const load = startLoad(stage, { prefix: "meanwhile", devices: 10, perSecond: short ? 50 : USUAL_LOAD });
    recoveries.push(await recovered(stage, load, now()));
    await converted(stage);
    await load.stop();
    const found = await verify(stage);
    checks.equal("everything adds up, but for sources, which are counted since there are any", found.wrong, [
      SOURCES_APART,
    ]);
    const { items } = await stage.product.get<DeadLettersAnswer>("/api/v1/dead-letters?limit=100");
    checks.equal(
      "its dead letters are there",
      items.map(({ device, field }) => `${device} ${field}`).sort(),
      [...before, ...again]
        .flatMap(({ device, bad }) => Object.keys(bad).map((metric) => `${device} ${metric}`))
        .sort(),
    );
    Object.assign(figures, { sent: stage.ledger.readings, ...found, dead: found.deadReadings });
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
  }
  if (checks.finish() === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  const { faults, sent, stored, dead, lost, twice } = figures;
  const seconds = (performance.now() - began) / 1000;
  return { drill: "upgrade", faults, sent, stored, dead, lost, twice, recoveries, seconds, wrong: checks.failed };
}

/** Makes the database as the oldest version left it. */
async function fill(url: string, { partitions, tables }: Dump): Promise<void> {
  await migrate(
    url,
    readMigrations().filter(({ name }) => name < OLDEST.before),
  );
  await withClient(url, async (client) => {
    for (const { parent, name, bound } of partitions)
      await client.query(`CREATE TABLE ${name} PARTITION OF ${parent} ${bound}`);
    for (const { name, rows } of tables) {
      await client.query(`TRUNCATE ${name} CASCADE`);
      await client.query(`INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1)`, [
        JSON.stringify(rows),
      ]);
    }
    const { rows: serials } = await client.query<{ sequence: string; tab: string; col: string }>(
      `SELECT pg_get_serial_sequence(table_name, column_name) AS sequence, table_name AS tab, column_name AS col
       FROM information_schema.columns WHERE table_schema = 'public' AND column_default LIKE 'nextval%'`,
    );
    for (const { sequence, tab, col } of serials)
      await client.query(`SELECT setval($1, coalesce((SELECT max(${col}) FROM ${tab}), 0) + 1, false)`, [sequence]);
  });
}

/** Waits until the jobs that convert have nothing left to do. */
async function converted({ product }: Stage): Promise<void> {
  await until(
    async () => {
      const { items } = await product.get<JobsAnswer>("/api/v1/jobs");
      const jobs = items.filter(({ name }) => CONVERTING.includes(name));
      return jobs.every(({ unfinished, last }) => unfinished === 0 && last?.state === "done");
    },
    { timeoutMs: 300_000, everyMs: 500, what: "what the oldest version wrote to be converted" },
  );
}
