import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "@/server/database/embedded/embedded-postgres";
import { migrate } from "@/server/database/migrate";

declare module "vitest" {
  interface ProvidedContext {
    /** Connection string of the test server's administrative database, and the name of the migrated template. */
    testDatabase: { adminUrl: string; template: string };
  }
}

/** One PostgreSQL for the whole test run: TEST_DATABASE_URL, or an embedded one in a temporary folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL;
  const dataDir = given === undefined ? mkdtempSync(path.join(tmpdir(), "fieldwatch-test-")) : undefined;
  // Not durable: what is tested about crashes is tested on servers of its own.
  const embedded = dataDir
    ? await startEmbeddedPostgres({
        dataDir,
        logger: pino({ level: "silent" }),
        settings: ["fsync=off", "full_page_writes=off"],
      })
    : undefined;
  const adminUrl = given ?? embedded?.connectionString ?? "";
  const template = `fieldwatch_template_${process.pid}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${template}`);
    const url = new URL(adminUrl);
    url.pathname = `/${template}`;
    await migrate(url.href);
  } finally {
    await admin.end();
  }
  project.provide("testDatabase", { adminUrl, template });

  return async () => {
    if (embedded) {
      await embedded.stop();
      rmSync(dataDir!, { recursive: true, force: true });
      return;
    }
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await client.end();
  };
}
