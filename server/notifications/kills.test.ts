import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import pino from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { composeEngines, type Engines, topicSettings } from "@/server/compose";
import { TOPICS } from "@/server/domain/terms";
import { alertRows } from "@/server/testing/alert-rows";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { notifierRig } from "@/server/testing/notifier-rig";
import { type Receiver, startReceiver } from "@/server/testing/receiver";
import { until } from "@/server/testing/until";

const KILLS = 5;
const A_KILL = 12;
const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-kills-"));
// Beside the packages that it imports.
const program = path.resolve("node_modules", ".cache", `notifier-process-${process.pid}.mjs`);
let db: TestDatabase;
let receiver: Receiver;
let engines: Engines;
let child: ChildProcess | undefined;

beforeAll(async () => {
  db = await freshDatabase();
  receiver = await startReceiver();
  const { config } = notifierRig(db, folder);
  engines = await composeEngines(config, "test", pino({ level: "silent" }));
  await engines.eventLog.ensureTopics(topicSettings(config));
  await build({
    ...{ entryPoints: ["server/testing/notifier-process.ts"], outfile: program, bundle: true, packages: "external" },
    ...{ platform: "node", format: "esm", logLevel: "silent" },
  });
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await receiver.close();
  await engines.close();
  await until(async () => {
    const { rows } = await db.pool.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name NOT LIKE 'fieldwatch test ' || '%' || $1`,
      [String(process.pid)],
    );
    return rows.length === 0;
  });
  await db.drop();
  rmSync(folder, { recursive: true });
  rmSync(program, { force: true });
});

function start(): ChildProcess {
  return spawn(process.execPath, [program], {
    env: { ...process.env, DATABASE_URL: db.appUrl, FIELDWATCH_DATA_DIR: folder },
    stdio: "ignore",
  });
}

test("killed at any moment, it loses no message, decides about no event twice, and repeats one a kill at most", async () => {
  const rig = notifierRig(db, folder);
  const alerts = alertRows(db.pool);
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  await rig.route("all", [channel], { groupBy: ["device"] });
  let made = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    child = start();
    await alerts.fireMany(A_KILL, { device: `d${kill}` });
    made += A_KILL;
    const before = receiver.got.length;
    // In the middle of sending: another number of messages each time.
    await until(() => receiver.got.length >= before + 1 + (kill % 5), { timeoutMs: 30_000, everyMs: 1 });
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  child = start();
  const ids = () => receiver.got.map(({ headers }) => headers["webhook-id"]!);
  await until(async () => (await db.pool.query(`SELECT FROM notification WHERE status = 'sent'`)).rowCount === made, {
    timeoutMs: 30_000,
  });
  expect(await alerts.verdicts()).toEqual({ told: made });
  expect(new Set(ids()).size).toBe(made);
  expect(ids().length - made).toBeLessThanOrEqual(KILLS);
  const { rows } = await db.pool.query<{ id: string }>(`SELECT id FROM notification`);
  expect(new Set(ids())).toEqual(new Set(rows.map(({ id }) => id)));
  // Each event is in the topic for others, too.
  await until(async () => (await db.pool.query(`SELECT FROM alert_outbox`)).rowCount === 0);
  const { partitions } = await engines.eventLog.describe(TOPICS.alerts, "nobody");
  expect(partitions.reduce((sum, { start: from, end }) => sum + end - from, 0)).toBeGreaterThanOrEqual(made);
}, 120_000);
