import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import pino from "pino";
import { inject } from "vitest";
import { createPool } from "@/server/postgres/connection";
import { migrate, readMigrations } from "@/server/postgres/migrate";
import type {} from "./provided";

/** A database of its own, migrated. */
export interface TestDatabase {
  /** Of the owner of the tables, for what a test itself makes and looks at. */
  readonly pool: pg.Pool;
  /** As the owner of the tables, by whom migrations are done. */
  readonly connectionString: string;
  /** As the role that the product's processes run as: what is started with it may do here what it may there, and no more. */
  readonly appUrl: string;
  /** Closes the pool and drops the database. @throws Error naming every connection that was not closed. */
  drop(): Promise<void>;
}

/** Makes a new database for a test file; call `drop` in afterAll. */
export async function freshDatabase(): Promise<TestDatabase> {
  const { adminUrl, appUrl, template } = inject("testDatabase");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await asAdmin(adminUrl, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`));
  const connectionString = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const pool = createPool(connectionString, { role: "test", logger: pino({ level: "silent" }), size: 10 });
  // A copy of the template is another log, so it must not have the same identity.
  await pool.query("UPDATE log_cluster SET id = $1", [`pg-${name}`]);
  return {
    pool,
    connectionString,
    appUrl: Object.assign(new URL(appUrl), { pathname: `/${name}` }).href,
    async drop() {
      const leaks = await closePool(pool);
      await asAdmin(adminUrl, async (client) => {
        leaks.push(...(await remainingConnections(client, name)));
        await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      });
      if (leaks.length > 0) throw new Error(`Not closed at the end of the test:\n${leaks.join("\n")}`);
    },
  };
}

/**
 * Empties a database and brings it to the version before a migration, to be filled as that version did.
 * @param name the migration's folder.
 */
export async function goBackBefore(db: TestDatabase, name: string): Promise<void> {
  await db.pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await migrate(
    db.connectionString,
    readMigrations().filter((migration) => migration.name < name),
  );
}

async function closePool(pool: pg.Pool): Promise<string[]> {
  const checkedOut = () => pool.totalCount - pool.idleCount;
  const ended = pool.ended ? Promise.resolve(true) : pool.end().then(() => true);
  if (await Promise.race([ended, delay(3000, false, { ref: false })])) return [];
  return [`  ${checkedOut()} client(s) of the test's pool never released`];
}

/** Closing is not instant on the server's side: connections get a moment. */
async function remainingConnections(client: pg.Client, database: string): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await client.query<{ name: string; state: string; query: string }>(
      `SELECT application_name AS name, state, left(query, 120) AS query FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`,
      [database],
    );
    if (rows.length === 0 || attempt === 40) return rows.map((row) => `  ${row.name} (${row.state}): ${row.query}`);
    await delay(50);
  }
}

async function asAdmin<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
