import path from "node:path";
import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { killNow, processOf } from "../processes";
import { pause, seeded, until } from "../waiting";
import { createChecks } from "./checks";
import { readOptions } from "./drill";
import type { EngineMode } from "./drill-engines";
import type { Row } from "./rows";
import { openStage, type Stage } from "./stage";
import { withDatabase } from "./stored";

const DEVICES = 5;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_REQUEST = 2000;

export interface ColdKillOptions {
  readonly mode: EngineMode;
  readonly short: boolean;
  readonly seed: number;
}

/**
 * The worker killed with SIGKILL while it moves a month to cold storage, first the month, then in each round what came late for it: every
 * answer, also in between, has each reading once.
 */
export async function coldKill({ mode, short, seed }: ColdKillOptions): Promise<Row> {
  const began = performance.now();
  const random = seeded(seed);
  const [rounds, stepMs] = short ? [3, 20 * MINUTE] : [15, 5 * MINUTE];
  const checks = createChecks(`cold-kill on ${mode} engines, seed ${seed}`);
  const stage = await openStage(mode, "plain", (folder) => ({
    COLD_AFTER_DAYS: "1",
    COLD_URL: `file://${path.join(folder, "cold")}`,
  }));
  const recoveries: number[] = [];
  const figures = { sent: 0, stored: 0, lost: 0, twice: 0 };
  try {
    const date = new Date();
    const month = {
      from: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 2),
      to: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - 1),
    };
    const times = Array.from({ length: (month.to - month.from) / stepMs }, (_, i) => month.from + i * stepMs);
    await send(stage, times);
    // A device's last hour is open: theirs is one of today.
    await send(stage, [Date.now()]);
    let expected = times.length;
    const check = async (when: string) => {
      for (let device = 0; device < DEVICES; device++) {
        const found = await readingsOf(stage, device, month);
        const distinct = new Set(found).size;
        figures.lost += Math.max(0, expected - distinct);
        figures.twice += found.length - distinct;
        if (distinct !== expected || found.length !== distinct)
          checks.equal(`${when}: readings of device ${device}`, [found.length, distinct], [expected, expected]);
      }
    };
    let within = 0;
    for (let round = 1; round <= rounds; round++) {
      if (round > 1) {
        await send(stage, [month.from + round * HOUR + round]);
        expected++;
      }
      await until(async () => (await storedReadings(stage, month)) === expected * DEVICES, {
        timeoutMs: 60_000,
        what: "all messages to be stored",
      });
      await ran(stage, "readings-merge");
      await request(stage, "cold-readings");
      await pause(random() * (round === 1 ? 1500 : 800));
      const worker = processOf(stage.product.tree(), "worker");
      if (!worker) throw new Error("there is no worker process to kill");
      killNow([worker.pid]);
      const killed = performance.now();
      if ((await unfinished(stage, "cold-readings")) > 0) within++;
      await check(`round ${round}, right after the kill`);
      await ran(stage, "cold-readings");
      recoveries.push((performance.now() - killed) / 1000);
      await check(`round ${round}, moved`);
      checks.equal(`round ${round}: rows of the month in PostgreSQL`, await hotRows(stage, month), 0);
    }
    figures.sent = expected * DEVICES;
    figures.stored = await storedReadings(stage, month);
    console.log(`  ${rounds} workers killed, ${within} of them while the run was at work`);
  } catch (error) {
    checks.that((error as Error).stack ?? String(error), false);
  } finally {
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  const seconds = (performance.now() - began) / 1000;
  return {
    drill: "cold-kill",
    faults: recoveries.length,
    dead: 0,
    ...figures,
    recoveries,
    seconds,
    wrong: checks.failed,
  };
}

/** Posts a message of each device at each of these times. */
async function send({ product }: Stage, times: readonly number[]): Promise<void> {
  const lines = times.flatMap((time) =>
    Array.from({ length: DEVICES }, (_, i) =>
      JSON.stringify({ device: `cold-kill-${i}`, time, readings: { level: (time / 1000 + i) % 64 } }),
    ),
  );
  const headers = { "content-type": "application/x-ndjson" };
  for (let at = 0; at < lines.length; at += A_REQUEST) {
    const body = lines.slice(at, at + A_REQUEST).join("\n");
    const answer = await product.fetch("/api/v1/telemetry", { method: "POST", headers, body });
    const { rejected } = (await answer.json()) as TelemetryAnswer;
    if (!answer.ok || rejected.length > 0)
      throw new Error(`not taken: ${answer.status} ${JSON.stringify(rejected?.[0])}`);
  }
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The times of a device's readings, as a download has them. */
async function readingsOf({ product }: Stage, device: number, { from, to }: Range): Promise<string[]> {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const answer = await product.fetch(
    `/api/v1/devices/cold-kill-${device}/readings.csv?metric=level&resolution=raw&${range}`,
  );
  const text = await answer.text();
  if (!answer.ok) throw new Error(`readings.csv: ${answer.status} ${text.slice(0, 300)}`);
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(",")[0]!);
}

async function request({ product }: Stage, job: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  await until(
    async () => {
      const answer = await product.fetch(`/api/v1/jobs/${job}/run`, { method: "POST", headers, body: "{}" });
      if (answer.ok) return true;
      if (answer.status !== 409) throw new Error(`POST run of ${job}: ${answer.status} ${await answer.text()}`);
      return false;
    },
    { timeoutMs: 60_000, what: `a run of ${job} to be asked for` },
  );
}

/** Waits for what runs of a job, and has it run once more. */
async function ran(stage: Stage, job: string): Promise<void> {
  const idle = () =>
    until(async () => (await unfinished(stage, job)) === 0, { timeoutMs: 120_000, what: `the run of ${job} to end` });
  await idle();
  await request(stage, job);
  await idle();
}

function unfinished(stage: Stage, job: string): Promise<number> {
  return count(stage, "SELECT count(*)::int AS n FROM job_run WHERE job = $1 AND state IN ('waiting', 'running')", [
    job,
  ]);
}

function hotRows(stage: Stage, { from, to }: Range): Promise<number> {
  return count(stage, "SELECT count(*)::int AS n FROM sample WHERE time >= $1 AND time < $2", [
    new Date(from),
    new Date(to),
  ]);
}

/** Readings of the month on both sides: nothing that is moved is in both. */
function storedReadings(stage: Stage, { from, to }: Range): Promise<number> {
  return count(
    stage,
    `SELECT ((SELECT count(*) FROM stored_reading WHERE time >= $1 AND time < $2)
       + (SELECT coalesce(sum(n), 0) FROM cold_device d CROSS JOIN LATERAL unnest(d.counts) AS n WHERE d.min_time >= $1 AND d.max_time < $2))::int AS n`,
    [new Date(from), new Date(to)],
  );
}

function count(stage: Stage, text: string, values: readonly unknown[]): Promise<number> {
  return withDatabase(stage, async (client) => (await client.query<{ n: number }>(text, [...values])).rows[0]!.n);
}

export async function main(argv: string[]): Promise<number> {
  const row = await coldKill(readOptions(argv));
  return row.wrong.length === 0 && row.lost === 0 && row.twice === 0 ? 0 : 1;
}
