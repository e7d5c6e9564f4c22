import pino from "pino";
import { expect, test } from "vitest";
import { loadConfig } from "@/server/config/config";
import { freshDatabase } from "@/server/testing/database";
import { connectDatabase } from "./connection";

test("the server ends statements of web and worker that nobody waits for any more, and none of a migration", async () => {
  const db = await freshDatabase();
  const config = loadConfig({ DATABASE_URL: db.connectionString }, "");
  const limitOf = async (role: string) => {
    const { pool } = connectDatabase(config, role, pino({ level: "silent" }));
    const { rows } = await pool.query<{ statement_timeout: string }>("SHOW statement_timeout");
    await pool.end();
    return rows[0]!.statement_timeout;
  };
  expect([await limitOf("web"), await limitOf("worker"), await limitOf("migrate")]).toEqual(["31s", "31s", "0"]);
  await db.drop();
});
