import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { monthsOfReadings } from "@/server/readings/old-readings";
import { createPartitions, dropOldMonth, oldMonths } from "@/server/readings/partitions";
import { counted } from "@/server/testing/message-archive.contract";
import { createPool } from "./connection";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded/embedded-postgres";
import { migrate } from "./migrate";
import { admitRuntimeRole } from "./runtime-role";
import { monthName } from "./months";
import { withTransaction } from "./transaction";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const logger = pino({ level: "silent" });
const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-role-"));
let embedded: EmbeddedPostgres;
let pool: pg.Pool;
let owner: pg.Pool;

beforeAll(async () => {
  embedded = await startEmbeddedPostgres({ dataDir: path.join(root, "data"), logger });
  await migrate(embedded.ownerConnectionString);
  await admitRuntimeRole(embedded.ownerConnectionString, embedded.connectionString);
  pool = createPool(embedded.connectionString, { role: "test", logger, size: 4 });
  owner = createPool(embedded.ownerConnectionString, { role: "test", logger, size: 1 });
});
afterAll(async () => {
  await pool?.end();
  await owner?.end();
  await embedded?.stop();
  rmSync(root, { recursive: true, force: true });
});

const REFUSED = { code: "42501" };

test("the runtime role is nobody special, runs no program, and makes no table", async () => {
  const { rows } = await pool.query(
    `SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user`,
  );
  expect(rows).toEqual([
    { rolsuper: false, rolcreaterole: false, rolcreatedb: false, rolbypassrls: false, rolreplication: false },
  ]);
  await pool.query("CREATE TEMP TABLE seen (line text)");
  for (const text of [
    "COPY seen FROM PROGRAM 'id'",
    "COPY seen FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "CREATE TABLE made (n integer)",
    "CREATE SCHEMA made",
    "CREATE FUNCTION make_month(text, text, text) RETURNS void LANGUAGE sql AS ''",
    "ALTER TABLE sample ADD COLUMN made integer",
    "DROP TABLE device_twin",
    "ALTER SYSTEM SET fsync = off",
    "SET ROLE fieldwatch",
    "TRUNCATE archive_fresh",
    "UPDATE _prisma_migrations SET checksum = ''",
  ])
    await expect(pool.query(text), text).rejects.toMatchObject(REFUSED);
});

test("the audit record is only added to, by grants alone", async () => {
  await owner.query("ALTER TABLE audit_row DISABLE TRIGGER audit_row_stays");
  await pool.query(`INSERT INTO audit_row (actor_kind, actor, verb, outcome) VALUES ('system', 'x', 'x', 'done')`);
  expect((await pool.query("SELECT FROM audit_row")).rowCount).toBe(1);
  for (const text of [
    "UPDATE audit_row SET actor = 'y'",
    "DELETE FROM audit_row",
    "TRUNCATE audit_row",
    "ALTER TABLE audit_row DISABLE TRIGGER ALL",
  ])
    await expect(pool.query(text), text).rejects.toMatchObject(REFUSED);
  await owner.query("ALTER TABLE audit_row ENABLE TRIGGER audit_row_stays");
});

test("months are made and dropped by the owner's functions, which do nothing else", async () => {
  const months = (table: string) =>
    pool.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass ORDER BY 1`,
      [table],
    );
  const now = Date.parse("2026-11-28T00:00:00Z");
  await createPartitions(pool, () => now).ensure([now, Date.parse("9999-12-31T23:59:59Z")]);
  for (const table of ["sample", "rollup_minute"])
    expect((await months(table)).rows.map(({ name }) => name)).toEqual(
      [`${table}_2026_11`, `${table}_9999_12`, `${table}_other`].sort(),
    );
  await pool.query(`INSERT INTO site (name) VALUES ('a')`);
  const before = Date.parse("2027-01-01T00:00:00Z");
  const old = [...(await monthsOfReadings(pool, before)), ...(await oldMonths(pool, "minutes", before))];
  expect(old.map(monthName).sort()).toEqual(["rollup_minute_2026_11", "sample_2026_11"]);
  for (const month of old) expect(await withTransaction(pool, (tx) => dropOldMonth(tx, month))).toBe(true);
  for (const table of ["sample", "rollup_minute"])
    expect((await months(table)).rows.map(({ name }) => name)).toEqual([`${table}_9999_12`, `${table}_other`]);
  for (const call of [
    "make_month('audit_row', 2026, 11)",
    "drop_month('sample; --', 2026, 1)",
    "drop_dead_letter_month(2026, 0)",
    "make_month('sample', 2026, 13)",
  ])
    await expect(pool.query(`SELECT ${call}`), call).rejects.toMatchObject({ code: "P0001" });
  // Names mean what they meant to the owner, whatever the caller's own tables are called.
  await withTransaction(pool, async (tx) => {
    await tx.query("CREATE TEMP TABLE sample_other (time timestamptz) ON COMMIT DROP");
    await tx.query("SELECT make_month('sample', 2020, 1)");
    expect((await tx.query(`SELECT FROM pg_class WHERE relname = 'sample_2020_01'`)).rowCount).toBe(1);
  });
  const stranger = `CREATE ROLE stranger; GRANT USAGE ON SCHEMA public TO stranger; SET ROLE stranger; SELECT make_month('sample', 2021, 1)`;
  await expect(owner.query(stranger)).rejects.toMatchObject(REFUSED);
});

test("days of the archive are made, dropped and emptied by the owner's functions, which do nothing else", async () => {
  const archive = createPostgresMessageArchive(pool);
  const now = Date.parse("2026-11-28T12:00:00Z");
  const times = { eventTime: now, ingestTime: now - 7_200_000, processedTime: now };
  await archive.store([{ position: { log: "c/t/0", partition: 0, offset: 1 }, device: "d", body: "{}", ...times }]);
  await pool.query(
    `INSERT INTO message_archive VALUES ('c/t/0', 0, 2, 'd', '2026-11-28', '2026-11-28', '2026-11-28', '{}')`,
  );
  await counted(archive.merge(now));
  const parts = async () =>
    (await pool.query(`SELECT FROM pg_inherits WHERE inhparent = 'archive_block'::regclass`)).rowCount;
  expect(await parts()).toBe(2);
  expect(await counted(archive.removeBefore(now + 86_400_000))).toBe(2);
  expect(await parts()).toBe(1);
  await pool.query(
    `INSERT INTO message_archive VALUES ('c/t/0', 0, 3, 'd', '2026-11-28', '2026-11-28', '2026-11-28', '{}')`,
  );
  await pool.query("SELECT shrink_message_archive()");
  expect((await pool.query("SELECT FROM message_archive")).rowCount).toBe(1);
  for (const call of ["make_archive_days(-1, 1)", "make_archive_days(20000, 400)", "drop_archive_days(2932897)"])
    await expect(pool.query(`SELECT ${call}`), call).rejects.toMatchObject({ code: "P0001" });
  await expect(pool.query("DROP TABLE archive_block_other")).rejects.toMatchObject(REFUSED);
  const stranger = `CREATE ROLE other_stranger; GRANT USAGE ON SCHEMA public TO other_stranger; SET ROLE other_stranger; SELECT drop_archive_days(1)`;
  await expect(owner.query(stranger)).rejects.toMatchObject(REFUSED);
});

test("rights that are too much are taken, those of new tables given, and starts at once don't disturb each other", async () => {
  await owner.query("GRANT ALL ON audit_row, _prisma_migrations TO fieldwatch_app; CREATE TABLE later (n integer)");
  const admit = () => admitRuntimeRole(embedded.ownerConnectionString, embedded.connectionString);
  await Promise.all([admit(), admit(), admit()]);
  await expect(pool.query("DELETE FROM audit_row WHERE false")).rejects.toMatchObject(REFUSED);
  await pool.query("INSERT INTO later VALUES (1)");
  await owner.query("DROP TABLE later");
});

test("a role that isn't there is made where it may be, and named with what to do where it may not", async () => {
  const as = (user: string, password: string) => {
    const url = new URL(embedded.ownerConnectionString);
    return Object.assign(url, { username: user, password }).href;
  };
  await admitRuntimeRole(embedded.ownerConnectionString, as("other_app", "p%40ss"));
  const other = new pg.Client({ connectionString: as("other_app", "p%40ss") });
  await other.connect();
  await other.query("SELECT FROM device");
  await other.end();
  await expect(admitRuntimeRole(embedded.connectionString, as("third_app", "x"))).rejects.toThrow(
    "The role Fieldwatch runs as isn't there",
  );
});
