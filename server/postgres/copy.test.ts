import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProxy } from "@/e2e/drills/proxy";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { DatabaseUnavailableError } from "./client";
import { createPool } from "./connection";
import { binaryRows, copyBinary } from "./copy";
import { withTransaction } from "./transaction";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a COPY that gets no answer is given up with its connection, and nothing of it is kept", async () => {
  await db.pool.query("CREATE TABLE number (value integer)");
  const proxy = await startProxy();
  const url = new URL(db.connectionString);
  proxy.aim(Number(url.port || 5432));
  Object.assign(url, { hostname: "127.0.0.1", port: String(proxy.port) });
  const pool = createPool(url.href, { role: "test", logger: pino({ level: "silent" }), size: 1 });
  const write = (stall: boolean) =>
    withTransaction(pool, async (tx) => {
      const rows = binaryRows();
      rows.begin(1);
      rows.integer(1);
      if (stall) proxy.stall();
      await copyBinary(tx, "number (value)", rows, stall ? 200 : undefined);
    });
  try {
    await expect(write(true)).rejects.toThrow(DatabaseUnavailableError);
    proxy.mend();
    await write(false);
    expect((await db.pool.query("SELECT count(*)::int AS n FROM number")).rows).toEqual([{ n: 1 }]);
  } finally {
    await pool.end();
    await proxy.close();
  }
});
