import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type pg from "pg";
import { command } from "@/server/domain/fix";
import { type ConnectionString, DatabaseClient } from "./client";
import { StartError } from "./start-error";

/** One migration, as it lies in prisma/migrations. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the file, as Prisma computes it. */
  readonly checksum: string;
}

/** Prisma's own lock, so that its command line and Fieldwatch never migrate at the same time. */
export const MIGRATION_LOCK = 72707369;

/** Oldest PostgreSQL Fieldwatch works with. */
const LEAST_VERSION = 150000;

/**
 * Brings the database up to date: applies the migrations it hasn't seen, each in one transaction, in order of name.
 * Keeps Prisma's table `_prisma_migrations`, so `prisma migrate deploy` can take over. Safe to run twice at once.
 * @returns names of the migrations applied now.
 * @throws StartError when the database is older than 15, or its history doesn't fit these migrations.
 */
export function migrate(connectionString: ConnectionString, migrations = readMigrations()): Promise<readonly string[]> {
  return withClient(connectionString, async (client) => {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(TABLE);
    const pending = compare(migrations, await readApplied(client));
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  });
}

/**
 * Names of the migrations the database still needs; changes nothing.
 * @throws StartError as {@link migrate} does.
 */
export function pendingMigrations(
  connectionString: ConnectionString,
  migrations = readMigrations(),
): Promise<readonly string[]> {
  return withClient(connectionString, async (client) => {
    const { rows } = await client.query<{ there: boolean }>(
      "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there",
    );
    const applied = rows[0]?.there ? await readApplied(client) : [];
    return compare(migrations, applied).map(({ name }) => name);
  });
}

/** Does `work` on a connection of its own. @throws StartError when the server is older than 15. */
export async function withClient<T>(
  connectionString: ConnectionString,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new DatabaseClient({
    connectionString,
    application_name: "fieldwatch migrate",
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => {}); // The query that fails says it.
  await client.connect();
  try {
    await checkVersion(client);
    return await work(client);
  } finally {
    await client.end();
  }
}

async function readApplied(client: pg.Client): Promise<readonly AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  return rows;
}

/** The migrations of this Fieldwatch, in the order they are applied. */
export function readMigrations(folder = findMigrations()): readonly Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const bytes = readFileSync(path.join(folder, name, "migration.sql"));
      return { name, sql: bytes.toString("utf8"), checksum: createHash("sha256").update(bytes).digest("hex") };
    });
}

/** prisma/migrations above this file, whether it runs from source or built. */
function findMigrations(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const found = path.join(folder, "prisma", "migrations");
    if (existsSync(found)) return found;
    if (folder === path.dirname(folder))
      throw new Error("prisma/migrations isn't there: the installation is incomplete");
  }
}

interface AppliedRow {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
  readonly logs: string | null;
}

function compare(migrations: readonly Migration[], applied: readonly AppliedRow[]): readonly Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const row of applied) {
    const migration = known.get(row.name);
    if (!migration) {
      throw new StartError(
        "The database is newer than this Fieldwatch",
        `It has the migration ${row.name}, which this version doesn't know.`,
        "Run the version that made it, or point DATABASE_URL or FIELDWATCH_DATA_DIR at another one.",
      );
    }
    if (!row.finished) {
      throw new StartError(
        "A migration of the database failed half-way",
        `${row.name} was begun and not finished${row.logs ? `:\n${row.logs}` : "."}`,
        `Undo what it did, then mark it with:\n  ${command`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '${row.name}';`}`,
      );
    }
    if (row.checksum !== migration.checksum) {
      throw new StartError(
        "A migration was changed after it was applied",
        `prisma/migrations/${row.name}/migration.sql is not the file the database was made with.`,
        "Restore the file (`git checkout prisma/migrations`) and put the change into a new migration.",
      );
    }
  }
  const done = new Set(applied.map(({ name }) => name));
  return migrations.filter(({ name }) => !done.has(name));
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw new Error(
      `Migration ${name} failed, and was undone: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

async function checkVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string }>(
    "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
  );
  if (Number(rows[0]?.number) >= LEAST_VERSION) return;
  throw new StartError(
    "This PostgreSQL is too old",
    `DATABASE_URL leads to PostgreSQL ${rows[0]?.version}; Fieldwatch needs 15 or later.`,
    "Upgrade it, or unset DATABASE_URL to use the embedded PostgreSQL.",
  );
}

/** The table as Prisma makes it. */
const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  varchar(36) PRIMARY KEY NOT NULL,
  checksum            varchar(64) NOT NULL,
  finished_at         timestamptz,
  migration_name      varchar(255) NOT NULL,
  logs                text,
  rolled_back_at      timestamptz,
  started_at          timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;
