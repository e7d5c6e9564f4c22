import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { migrate } from "@/server/postgres/migrate";
import { admitRuntimeRole } from "@/server/postgres/runtime-role";
import type { ProvidedContext } from "vitest";
import type {} from "./provided";

/** The role the product's processes run as, on a server that is given. */
const APP_ROLE = "fieldwatch_test_app";

/** Starts what the whole test run shares: one PostgreSQL, and the real engines its files ask for. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Not at the top: without a JDK and Maven the reasons are enough, and no client of an engine is loaded.
  const { provideEngines } = await import("./provide-engines");
  const results = await Promise.allSettled([
    provideDatabase((database) => project.provide("testDatabase", database)),
    provideEngines(project.vitest.state.getPaths(), (engines) => project.provide("testEngines", engines)),
  ]);
  const stop = async () => {
    for (const result of results) if (result.status === "fulfilled") await result.value();
  };
  const failed = results.find((result) => result.status === "rejected");
  if (!failed) return stop;
  await stop();
  throw failed.reason;
}

/** TEST_DATABASE_URL, or an embedded PostgreSQL in a temporary folder. */
async function provideDatabase(
  provide: (database: ProvidedContext["testDatabase"]) => void,
): Promise<() => Promise<void>> {
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
  const adminUrl = given ?? embedded?.ownerConnectionString ?? "";
  const template = `fieldwatch_template_${process.pid}`;
  // A given server's role has the password of its administrator: tests may run there several at once.
  const appUrl = embedded?.connectionString ?? Object.assign(new URL(adminUrl), { username: APP_ROLE }).href;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${template}`);
    const url = new URL(adminUrl);
    url.pathname = `/${template}`;
    await migrate(url.href);
    // Every copy of the template has its grants.
    await admitRuntimeRole(url.href, appUrl);
  } finally {
    await admin.end();
  }
  provide({ adminUrl, appUrl, template });

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
