import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";

/** A durable PostgreSQL of its own in a temporary folder, which `stop` removes. */
export async function scratchPostgres(): Promise<{ pool: pg.Pool; connectionString: string; stop(): Promise<void> }> {
  const dataDir = mkdtempSync(path.join(tmpdir(), "fieldwatch-bench-"));
  const server = await startEmbeddedPostgres({ dataDir, logger: pino({ level: "warn" }) });
  const pool = new pg.Pool({ connectionString: server.ownerConnectionString, max: 4, options: "-c timezone=UTC" });
  // Ending the pool doesn't wait until the server has let go of every connection.
  pool.on("error", () => {});
  return {
    pool,
    connectionString: server.ownerConnectionString,
    async stop() {
      await pool.end();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
