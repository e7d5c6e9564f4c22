import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { post, receiveAlerts, toldMessages, type ToldMessage } from "../alert-receiver";
import { killNow, processOf } from "../processes";
import { freePort, type Product, startProduct } from "../product";
import { pause, seeded, until } from "../waiting";
import { type Episode, LOAD_RULES, startAlertLoad } from "./alert-load";
import { type Checks, createChecks } from "./checks";
import { type DrillOptions, readOptions } from "./drill";
import { startDrillEngines } from "./drill-engines";
import { comeBack } from "./kill-rounds";
import { exitCode } from "./on-stage";
import { drained } from "./pipeline";
import { lineOf, type Row } from "./rows";

/** notifier: the worker, between the other side's answer and its being noted. tree: every process. */
const TARGETS = ["worker", "web", "postgres", "notifier", "tree"] as const;
const PLACES = 30;

/**
 * Kills each part in turn while rules fire and end all the while, and counts against what was sent: each episode is one alert with its times, each
 * message came at least once, and no more often again than something was killed.
 */
export async function alertsKill({ mode, short, seed }: DrillOptions): Promise<Row> {
  const began = performance.now();
  const random = seeded(seed);
  const checks = createChecks(`alerts-kill on ${mode} engines`);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-alerts-kill-"));
  const engines = await startDrillEngines(mode);
  const env = { DEMO_DEVICES: "0", ...engines.env };
  const options = { dataDir: path.join(folder, "data"), port: await freePort(), env };
  const rounds = short ? 1 : 10;
  const recoveries: number[] = [];
  let sent = 0;
  let lost = 0;
  let twice = 0;
  let product = await startProduct(options);
  try {
    await product.ready();
    const receiver = await receiveAlerts(product);
    for (const [name, spec] of Object.entries(LOAD_RULES)) await post(product, "/api/v1/rules", { name, spec });
    const load = startAlertLoad(() => product, { places: PLACES, random });
    for (let round = 1; round <= rounds; round++)
      for (const target of TARGETS) {
        const before = receiver.got.length;
        await until(() => receiver.got.length > before + 3, { timeoutMs: 60_000, what: "messages to come again" });
        await pause(random() * 1500);
        const killed = Date.now();
        if (target === "notifier") await onRequest(receiver, () => killWorker(product));
        else if (target === "postgres" && engines.postgres) {
          await engines.postgres.kill();
          await engines.postgres.start();
        } else {
          const tree = product.tree();
          const victims = target === "tree" ? tree : [processOf(tree, target) ?? tree[0]!];
          killNow(victims.map(({ pid }) => pid));
          product = await comeBack(product, options, target, tree, victims);
        }
        await product.ready();
        const seconds = (Date.now() - killed) / 1000;
        console.log(`  ${target} killed after ${before} messages; ready again after ${seconds.toFixed(1)} s`);
        recoveries.push(seconds);
      }
    await pause(3000);
    const truth = await load.stop();
    await drained(product, load.readings() / 2);
    const client = new pg.Client({ connectionString: engines.postgres?.url ?? product.connectionString() });
    client.on("error", () => {}); // The query that fails says it.
    await client.connect();
    try {
      await settled(client);
      sent = truth.length;
      ({ lost, twice } = checkEpisodes(checks, truth, await storedEpisodes(client)));
      await checkMessages(checks, client, toldMessages(receiver), recoveries.length);
    } finally {
      await client.end();
    }
    await receiver.close();
    await product.stop();
  } catch (error) {
    checks.that("it goes through", false, `${(error as Error).stack}\n${product.log().slice(-3000)}`);
    killNow(product.tree().map(({ pid }) => pid));
  } finally {
    await engines.stop();
  }
  const wrong = [...checks.failed];
  if (wrong.length === 0) rmSync(folder, { recursive: true, force: true });
  checks.finish();
  const seconds = (performance.now() - began) / 1000;
  const stored = sent - lost + twice;
  const row: Row = {
    drill: "alerts-kill",
    faults: recoveries.length,
    sent,
    stored,
    dead: 0,
    lost,
    twice,
    recoveries,
    seconds,
    wrong,
  };
  console.log(`  ${lineOf(row).replaceAll("readings", "episodes")}`);
  return row;
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await alertsKill(readOptions(argv)));
}

function killWorker(product: Product): void {
  const worker = processOf(product.tree(), "worker");
  if (worker) killNow([worker.pid]);
}

/** Does something when the next message is there, and answers it only then. */
async function onRequest(receiver: Awaited<ReturnType<typeof receiveAlerts>>, deed: () => void): Promise<void> {
  await new Promise<void>((resolve) =>
    receiver.answer(() => {
      receiver.answer({ status: 200 });
      deed();
      resolve();
      return { status: 200 };
    }),
  );
}

/** Waits until everything that was decided is told. */
async function settled(client: pg.Client): Promise<void> {
  const open = `SELECT (SELECT count(*) FROM alert WHERE ended_at IS NULL) + (SELECT count(*) FROM alert_event WHERE handled_at IS NULL)
    + (SELECT count(*) FROM notification WHERE status NOT IN ('sent', 'replaced')) + (SELECT count(*) FROM alert_outbox) AS n`;
  let left = "";
  await until(
    async () => {
      left = (await client.query<{ n: string }>(open)).rows[0]!.n;
      return left === "0";
    },
    { timeoutMs: 120_000, everyMs: 250, what: "every alert to be over and told" },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message} ${left} are open.`);
  });
}

async function storedEpisodes(client: pg.Client): Promise<Episode[]> {
  const { rows } = await client.query<Episode>(
    `SELECT device_name AS device, r.name AS rule, (extract(epoch FROM a.started_at) * 1000)::float8 AS "startedAt",
       (extract(epoch FROM a.ended_at) * 1000)::float8 AS "endedAt" FROM alert a JOIN alert_rule r ON r.id = a.rule_id`,
  );
  return rows;
}

function checkEpisodes(checks: Checks, truth: readonly Episode[], stored: readonly Episode[]) {
  const keyOf = ({ device, rule, startedAt, endedAt }: Episode) => `${device} ${rule} ${startedAt} ${endedAt}`;
  const wanted = new Set(truth.map(keyOf));
  const found = stored.map(keyOf);
  const missing = [...wanted].filter((key) => !found.includes(key));
  const extra = found.filter((key, i) => !wanted.has(key) || found.indexOf(key) !== i);
  checks.that(`each of ${truth.length} episodes is an alert`, missing.length === 0, missing.slice(0, 5).join("; "));
  checks.that("and nothing else is, nor anything twice", extra.length === 0, extra.slice(0, 5).join("; "));
  return { lost: missing.length, twice: extra.length };
}

async function checkMessages(
  checks: Checks,
  client: pg.Client,
  got: readonly ToldMessage[],
  kills: number,
): Promise<void> {
  const { rows: sent } = await client.query<{ id: string }>(`SELECT id FROM notification WHERE status = 'sent'`);
  const { rows: unjudged } = await client.query(
    `SELECT FROM alert_event e WHERE (SELECT count(*) FROM alert_verdict v WHERE v.event_id = e.id) <> 1`,
  );
  const { rows: alerts } = await client.query<{ id: number }>(`SELECT id::float8 AS id FROM alert`);
  const ids = new Set(got.map(({ id }) => id));
  const isSent = new Set(sent.map(({ id }) => id));
  checks.equal("events without a verdict, or with two", unjudged.length, 0);
  checks.equal("messages that never came", sent.filter(({ id }) => !ids.has(id)).length, 0);
  checks.equal("messages that nobody keeps", [...ids].filter((id) => !isSent.has(id)).length, 0);
  const repeats = got.length - ids.size;
  checks.that(`no more repeats than kills`, repeats <= kills, `${repeats} of ${ids.size} messages, ${kills} kills`);
  const states = new Map<number, string[]>();
  const first = got.filter(({ id }, i) => got.findIndex((one) => one.id === id) === i);
  for (const { alerts: told } of first)
    for (const { id, state } of told) states.set(id, [...(states.get(id) ?? []), state]);
  const last = (id: number) => states.get(id)?.at(-1);
  const untold = alerts.filter(({ id }) => last(id) !== "resolved").map(({ id }) => [id, states.get(id)]);
  checks.equal("alerts whose end wasn't told", untold.slice(0, 5), []);
  const isInOrder = (told: readonly string[]) => !told.slice(0, -1).includes("resolved");
  checks.equal("alerts told out of order", [...states].filter(([, told]) => !isInOrder(told)).slice(0, 5), []);
}
