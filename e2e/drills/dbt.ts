import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { withClient } from "@/server/postgres/migrate";
import { fromPyPI } from "../made-programs";
import { ROOT, runProduct } from "../product";
import { createChecks } from "./checks";
import { drained } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { openStage, type Stage } from "./stage";

const PACKAGES = ["dbt-core==1.11.16", "dbt-postgres==1.10.2"];
const PROJECT = path.join(ROOT, "infra/dbt");

interface Result {
  readonly unique_id: string;
  readonly status: string;
  readonly message: string | null;
}

/**
 * Replays a recording, and has the real dbt build the project in infra/dbt on the views: every model is made and every test passes. Then a day is made
 * wrong by hand, and exactly the test that looks at it fails. Left out, and named, where Python or the packages aren't to be had.
 */
export async function main(): Promise<number> {
  const found = fromPyPI("dbt", PACKAGES);
  if ("missing" in found) {
    console.log(`dbt: left out, ${found.missing}`);
    return 0;
  }
  const checks = createChecks("dbt");
  const recording = readRecording("e2e/fixtures/environment.ndjson");
  const stage = await openStage("postgres", "plain");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-dbt-"));
  try {
    const { product } = stage;
    const replayed = await runProduct(["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url], {
      FIELDWATCH_DATA_DIR: product.dataDir,
    });
    checks.that(
      "the recording is replayed",
      replayed.code === 0,
      replayed.code === 0 ? "" : replayed.output.slice(-600),
    );
    await drained(product, recording.messages);

    const url = await admit(stage);
    const run = (command: string) => dbt(found.bin, url, folder, command);
    const built = run("build");
    const bad = built.filter(({ status }) => !["success", "pass"].includes(status));
    checks.that(`dbt build passes, ${built.length} of its nodes`, built.length > 10 && bad.length === 0, told(bad));
    const readings = await withClient(url.href, async (client) => {
      const { rows } = await client.query<{ n: number }>("SELECT sum(readings)::integer AS n FROM dbt.device_day");
      await client.query(
        "CREATE TABLE dbt.kept AS SELECT * FROM dbt.device_day; DROP VIEW dbt.device_day; ALTER TABLE dbt.kept RENAME TO device_day",
      );
      await client.query(
        "UPDATE dbt.device_day SET highest = highest + 1 WHERE ctid = (SELECT min(ctid) FROM dbt.device_day)",
      );
      return rows[0]!.n;
    });
    checks.equal("days hold every reading of the recording", readings, recording.readings);
    const tested = run("test").filter(({ status }) => status !== "pass");
    checks.equal(
      "of a day that is wrong, that test alone fails",
      tested.map(({ unique_id, status }) => `${unique_id} ${status}`),
      ["test.fieldwatch.days_have_every_reading fail"],
    );
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
    rmSync(folder, { recursive: true, force: true });
  }
  const code = checks.finish();
  if (code === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return code;
}

/** Makes the role that docs/dbt.md describes: it reads the views, and writes into a schema of its own. */
async function admit(stage: Stage): Promise<URL> {
  const url = new URL(stage.engines.postgres!.url);
  await withClient(url.href, (client) =>
    client.query(
      `CREATE ROLE dbt LOGIN PASSWORD 'dbt'; GRANT SELECT ON reading, reading_minute, reading_hour TO dbt; CREATE SCHEMA dbt AUTHORIZATION dbt`,
    ),
  );
  url.username = url.password = "dbt";
  return url;
}

/** Runs dbt on that database. @returns the result of each node. @throws what it said, when there is no result. */
function dbt(bin: string, url: URL, folder: string, command: string): readonly Result[] {
  const options = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", folder, "--log-path", folder];
  const { stdout, stderr } = spawnSync(path.join(bin, "dbt"), [command, ...options], {
    encoding: "utf8",
    env: {
      ...process.env,
      FIELDWATCH_DB_HOST: url.hostname,
      FIELDWATCH_DB_PORT: url.port,
      FIELDWATCH_DB_NAME: url.pathname.slice(1),
      FIELDWATCH_DB_USER: decodeURIComponent(url.username),
      FIELDWATCH_DB_PASSWORD: decodeURIComponent(url.password),
    },
  });
  try {
    const { results } = JSON.parse(readFileSync(path.join(folder, "run_results.json"), "utf8")) as {
      results: readonly Result[];
    };
    rmSync(path.join(folder, "run_results.json"));
    return results;
  } catch {
    throw new Error(`dbt ${command} left no results:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  }
}

const told = (results: readonly Result[]) =>
  results.map(({ unique_id, status, message }) => `${unique_id} ${status}: ${message}`).join("; ");
