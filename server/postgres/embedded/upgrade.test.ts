import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { afterAll, expect, test, vi } from "vitest";
import { prepareEngines } from "@/server/boot/prepare";
import { loadConfig } from "@/server/config/config";
import { migrate, readMigrations } from "../migrate";
import { locateBinaries } from "./binaries";
import { DATABASE, prepareCluster } from "./cluster";
import { prepareDataFolder } from "./data-folder";
import { createDatabase, startEmbeddedPostgres } from "./embedded-postgres";
import { createPostmaster, freePort } from "./postmaster";
import { chooseLaunch } from "./privileges";

vi.setConfig({ testTimeout: 120_000 });

const logger = pino({ level: "silent" });
const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-upgrade-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function query<T extends object>(connectionString: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

test("a data folder of the version before, whose one user is the superuser, comes up with nothing lost and with a role for what runs", async () => {
  const dataDir = path.join(root, "data");
  prepareDataFolder(dataDir);
  const binaries = locateBinaries();
  const launch = chooseLaunch(binaries.postgres, dataDir);
  const { folder, password } = await prepareCluster(dataDir, binaries, launch);
  const port = await freePort();
  const before = await createPostmaster({
    ...{ binaries, launch, folder, port, settings: [], logFile: path.join(dataDir, "postgres.log") },
    onLaunch: () => {},
    unwanted: () => false,
  });
  const old = `postgresql://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`;
  await createDatabase(old);
  await migrate(
    old,
    readMigrations().filter(({ name }) => name < "20261128235000_month_partitions"),
  );
  await query(
    old,
    `INSERT INTO site (name) VALUES ('hamburg');
     CREATE TABLE sample_2026_10 PARTITION OF sample FOR VALUES FROM ('2026-10-01Z') TO ('2026-11-01Z');
     INSERT INTO audit_row (actor_kind, actor, verb, outcome) VALUES ('system', 'before', 'before', 'done')`,
  );
  await before.stop();

  for (const time of ["first", "second"]) {
    const embedded = await startEmbeddedPostgres({ dataDir, logger });
    await prepareEngines(loadConfig({ FIELDWATCH_DATA_DIR: dataDir }, ""), logger, { insist: true });
    expect(await query(embedded.connectionString, "SELECT name FROM site"), time).toEqual([{ name: "hamburg" }]);
    expect(await query(embedded.connectionString, "SELECT actor FROM audit_row WHERE verb = 'before'")).toEqual([
      { actor: "before" },
    ]);
    expect(
      await query(
        embedded.connectionString,
        `SELECT current_user AS name, rolsuper FROM pg_roles WHERE rolname = current_user`,
      ),
    ).toEqual([{ name: "fieldwatch_app", rolsuper: false }]);
    await query(
      embedded.connectionString,
      "SELECT drop_month('sample', 2026, 10) WHERE to_regclass('sample_2026_10') IS NOT NULL",
    );
    await embedded.stop();
  }
});
