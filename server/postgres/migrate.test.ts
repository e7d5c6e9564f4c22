import { afterAll, expect, test } from "vitest";
import { freshDatabase } from "@/server/testing/database";
import { migrate, type Migration, readMigrations } from "./migrate";
import { StartError } from "./start-error";

const db = await freshDatabase();
afterAll(() => db.drop());

const extra = (name: string, sql: string): Migration => ({ name, sql, checksum: name });
const shipped = readMigrations();

test("a migrated database has nothing to apply, even for two at once", async () => {
  expect(await Promise.all([migrate(db.connectionString), migrate(db.connectionString)])).toEqual([[], []]);
  const { rows } = await db.pool.query(
    "SELECT migration_name, checksum, applied_steps_count FROM _prisma_migrations ORDER BY 1",
  );
  expect(rows).toEqual(
    shipped.map(({ name, checksum }) => ({ migration_name: name, checksum, applied_steps_count: 1 })),
  );
});

test("new migrations are applied once, in order, by whoever comes first", async () => {
  const more = [
    ...shipped,
    extra("90000000000001_a", "CREATE TABLE extra_a (id int)"),
    extra("90000000000002_b", "ALTER TABLE extra_a ADD b bigint"),
  ];
  const [first, second] = await Promise.all([migrate(db.connectionString, more), migrate(db.connectionString, more)]);
  expect([...first, ...second]).toEqual(["90000000000001_a", "90000000000002_b"]);

  await expect(migrate(db.connectionString, shipped)).rejects.toThrow("The database is newer than this Fieldwatch");
  const changed = more.map((migration) =>
    migration.name.endsWith("_b") ? { ...migration, checksum: "other" } : migration,
  );
  await expect(migrate(db.connectionString, changed)).rejects.toThrow("A migration was changed after it was applied");
  await db.pool.query("DELETE FROM _prisma_migrations WHERE migration_name LIKE '9000%'");
});

test("a migration that fails leaves nothing behind", async () => {
  const bad = [...shipped, extra("90000000000003_bad", "CREATE TABLE half (id int); SELECT 1 / 0;")];
  await expect(migrate(db.connectionString, bad)).rejects.toThrow("Migration 90000000000003_bad failed");
  const { rows } = await db.pool.query(
    "SELECT to_regclass('half') AS half, (SELECT count(*) FROM _prisma_migrations) AS migrations",
  );
  expect(rows).toEqual([{ half: null, migrations: shipped.length }]);
});

test("a migration that Prisma left half-way is refused, with the way out", async () => {
  await db.pool.query(
    "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'y', '90000000000004_half', 'boom')",
  );
  const more = [...shipped, extra("90000000000004_half", "SELECT 1")];
  const error = await migrate(db.connectionString, more).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).fix).toContain("rolled_back_at");
  await db.pool.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = 'x'");
  expect(await migrate(db.connectionString, more)).toEqual(["90000000000004_half"]);
});
