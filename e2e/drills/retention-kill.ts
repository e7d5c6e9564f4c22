import { killNow, processOf } from "../processes";
import { pause, seeded, until } from "../waiting";
import { createChecks } from "./checks";
import { type DrillOptions, readOptions } from "./drill";
import { count, monthAgo, type Range, ran, readingsOf, request, send, unfinished } from "./old-months";
import type { Row } from "./rows";
import { openStage, type Stage } from "./stage";
import { withDatabase } from "./stored";

const NAMES = Array.from({ length: 5 }, (_, i) => `retention-kill-${i}`);
const STEP_MS = 60 * 60_000;

/**
 * The worker killed with SIGKILL while the retention of readings writes minutes and drops months: at any moment a month has all its readings,
 * or all its minutes instead, and its hours; what is to stay is there, and nothing is counted twice.
 */
export async function retentionKill({ mode, short, seed }: DrillOptions): Promise<Row> {
  const began = performance.now();
  const random = seeded(seed);
  const kills = short ? 1 : 8;
  const checks = createChecks(`retention-kill on ${mode} engines, seed ${seed}`);
  const stage = await openStage(mode, "plain");
  const recoveries: number[] = [];
  const figures = { sent: 0, stored: 0, lost: 0, twice: 0 };
  try {
    const months = Array.from({ length: short ? 2 : 6 }, (_, i) => monthAgo(2 + i));
    const today = { from: Date.now() - 2 * STEP_MS, to: Date.now() };
    for (const month of months) await send(stage, NAMES, timesOf(month));
    await send(stage, NAMES, timesOf(today));
    const all = { from: Math.min(...months.map(({ from }) => from)), to: today.to };
    figures.sent = NAMES.length * [...months, today].reduce((sum, range) => sum + timesOf(range).length, 0);
    await until(async () => (await readings(stage, all)) === figures.sent, {
      timeoutMs: 60_000,
      what: "all messages to be stored",
    });
    await ran(stage, "readings-merge");
    const check = async (when: string) => {
      for (const month of months) {
        const wanted = NAMES.length * timesOf(month).length;
        const [raw, minutes, hours] = [
          await readings(stage, month),
          await counted(stage, "rollup_minute", month),
          await counted(stage, "rollup_hour", month),
        ];
        const isWhole = hours === wanted && (raw === wanted || (raw === 0 && minutes === wanted));
        if (!isWhole)
          checks.equal(`${when}: readings, minutes and hours of ${nameOf(month)}`, [raw, minutes, hours], wanted);
        figures.lost += Math.max(0, wanted - hours, raw === 0 ? wanted - minutes : wanted - raw);
        figures.twice += Math.max(0, raw - wanted, minutes - wanted, hours - wanted);
      }
      checks.equal(`${when}: readings of today`, await readings(stage, today), NAMES.length * timesOf(today).length);
    };
    await keepAWeek(stage);
    await request(stage, "readings-retention");
    let within = 0;
    for (let kill = 1; kill <= kills; kill++) {
      await until(async () => (await running(stage)) > 0 || (await unfinished(stage, "readings-retention")) === 0, {
        timeoutMs: 60_000,
        what: "the retention to go on",
      });
      await pause(random() * 400);
      const worker = processOf(stage.product.tree(), "worker");
      if (!worker) throw new Error("there is no worker process to kill");
      killNow([worker.pid]);
      const killed = performance.now();
      if ((await unfinished(stage, "readings-retention")) > 0) within++;
      await endLease(stage);
      await check(`kill ${kill}`);
      await until(async () => processOf(stage.product.tree(), "worker") !== undefined, {
        timeoutMs: 60_000,
        what: "another worker",
      });
      recoveries.push((performance.now() - killed) / 1000);
    }
    await until(async () => (await unfinished(stage, "readings-retention")) === 0, {
      timeoutMs: 120_000,
      what: "the retention to end",
    });
    await check("at last");
    for (const month of months) {
      checks.equal(`readings of ${nameOf(month)} that are left`, await readings(stage, month), 0);
      const minutes = await readingsOf(stage, NAMES[0]!, month, "minute");
      checks.equal(`minutes of ${nameOf(month)} in a download`, minutes.length, timesOf(month).length);
    }
    figures.stored = await counted(stage, "rollup_minute", all);
    console.log(
      `  ${kills} workers killed, ${within} of them while the run was at work; ${((performance.now() - began) / 1000).toFixed(0)} s so far`,
    );
  } catch (error) {
    checks.that((error as Error).stack ?? String(error), false);
  } finally {
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  const seconds = (performance.now() - began) / 1000;
  return {
    ...{ drill: "retention-kill", faults: recoveries.length, dead: 0 },
    ...figures,
    ...{ recoveries, seconds, wrong: checks.failed },
  };
}

function timesOf({ from, to }: Range): number[] {
  return Array.from({ length: Math.floor((to - from) / STEP_MS) }, (_, i) => from + i * STEP_MS);
}

function nameOf({ from }: Range): string {
  return new Date(from).toISOString().slice(0, 7);
}

/** Readings for a week, rollups for ever, as if somebody had said so a day ago: a change waits ten minutes. */
async function keepAWeek(stage: Stage): Promise<void> {
  await withDatabase(stage, (client) =>
    client.query(
      `INSERT INTO retention_rule (keeps, days, changed_at) SELECT k, CASE k WHEN 'raw' THEN 7 END, now() - interval '1 day'
       FROM unnest('{raw,minutes,hours}'::text[]) k`,
    ),
  );
}

/** Its worker is dead: the next needn't wait until that is sure. */
async function endLease(stage: Stage): Promise<void> {
  await withDatabase(stage, (client) => client.query("UPDATE job_run SET lease_until = now() WHERE state = 'running'"));
}

/** Whether a worker that lives is at it. */
function running(stage: Stage): Promise<number> {
  return count(
    stage,
    "SELECT count(*)::int AS n FROM job_run WHERE job = $1 AND state = 'running' AND lease_until > now()",
    ["readings-retention"],
  );
}

function readings(stage: Stage, { from, to }: Range): Promise<number> {
  return count(stage, "SELECT count(*)::int AS n FROM stored_reading WHERE time >= $1 AND time < $2", [
    new Date(from),
    new Date(to),
  ]);
}

/** Readings counted by rollups. */
function counted(stage: Stage, table: "rollup_minute" | "rollup_hour", { from, to }: Range): Promise<number> {
  return count(
    stage,
    `SELECT coalesce(sum(n), 0)::int AS n FROM ${table} CROSS JOIN LATERAL unnest(counts) AS n WHERE bucket >= $1 AND bucket < $2`,
    [new Date(from), new Date(to)],
  );
}

export async function main(argv: string[]): Promise<number> {
  const row = await retentionKill(readOptions(argv));
  return row.wrong.length === 0 && row.lost === 0 && row.twice === 0 ? 0 : 1;
}
