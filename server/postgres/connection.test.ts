import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { expect, test } from "vitest";
import { loadConfig } from "@/server/config/config";
import { freshDatabase } from "@/server/testing/database";
import { watchAccess } from "@/server/access/watch";
import { until } from "@/server/testing/until";
import { connectDatabase, databaseConnection } from "./connection";
import { isRetryable } from "./error-classes";
import { createPrismaClient } from "./prisma";

test("the server ends statements of web and worker that nobody waits for any more, and none of a migration", async () => {
  const db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.appUrl }, "");
  const limitOf = async (role: string) => {
    const { pool } = connectDatabase(config, role, pino({ level: "silent" }));
    const { rows } = await pool.query<{ statement_timeout: string }>("SHOW statement_timeout");
    await pool.end();
    return rows[0]!.statement_timeout;
  };
  expect([await limitOf("web"), await limitOf("worker"), await limitOf("migrate")]).toEqual(["31s", "31s", "0"]);
  await db.drop();
});

test("a password that is changed while it runs is taken from its file, by everything that connects, without a restart", async () => {
  const db = await freshDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-rotation-"));
  const file = path.join(folder, "database_url");
  const user = `rotated_${path.basename(folder).toLowerCase().replace(/\W/g, "")}`;
  const urlWith = (password: string) => Object.assign(new URL(db.connectionString), { username: user, password }).href;
  await db.pool.query(`CREATE ROLE ${user} LOGIN PASSWORD 'one'`);
  await db.pool.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user}`);
  writeFileSync(file, urlWith("one"));
  const config = loadConfig({ DATABASE_URL_FILE: file }, "");
  const logger = pino({ level: "silent" });
  const { pool } = connectDatabase(config, "web", logger);
  const prisma = createPrismaClient(pool);
  let heard = 0;
  const stop = watchAccess(databaseConnection(config), logger, (what) => (heard += what === "keys" ? 1 : 0));
  const works = async () => {
    await pool.query("SELECT 1");
    await prisma.site.count();
    const before = heard;
    await db.pool.query("NOTIFY fieldwatch_access, 'keys'");
    await until(() => heard > before, { timeoutMs: 1000 });
    return true;
  };
  await until(works);

  await db.pool.query(`ALTER ROLE ${user} PASSWORD 'two'`);
  await db.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [user]);
  await expect(until(() => pool.query("SELECT 1"), { timeoutMs: 500 })).rejects.toMatchObject({
    cause: { code: "28P01" },
  });
  const error = await pool.query("SELECT 1").catch((thrown: unknown) => thrown);
  expect(isRetryable(error)).toBe(true);
  writeFileSync(file, urlWith("two"));
  await until(works, { timeoutMs: 20_000 });

  await stop();
  await prisma.$disconnect();
  await pool.end();
  await db.pool.query(`DROP OWNED BY ${user}; DROP ROLE ${user}`);
  await db.drop();
  rmSync(folder, { recursive: true });
});
