import path from "node:path";
import { killNow, processOf } from "../processes";
import { pause, seeded, until } from "../waiting";
import { createChecks } from "./checks";
import { readOptions } from "./drill";
import type { EngineMode } from "./drill-engines";
import { count, monthAgo, type Range, ran, readingsOf, request, send, unfinished } from "./old-months";
import type { Row } from "./rows";
import { openStage, type Stage } from "./stage";

const NAMES = Array.from({ length: 5 }, (_, i) => `cold-kill-${i}`);
const DEVICES = NAMES.length;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

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
    const month = monthAgo(2);
    const times = Array.from({ length: (month.to - month.from) / stepMs }, (_, i) => month.from + i * stepMs);
    await send(stage, NAMES, times);
    // A device's last hour is open: theirs is one of today.
    await send(stage, NAMES, [Date.now()]);
    let expected = times.length;
    const check = async (when: string) => {
      for (const device of NAMES) {
        const found = await readingsOf(stage, device, month);
        const distinct = new Set(found).size;
        figures.lost += Math.max(0, expected - distinct);
        figures.twice += found.length - distinct;
        if (distinct !== expected || found.length !== distinct)
          checks.equal(`${when}: readings of ${device}`, [found.length, distinct], [expected, expected]);
      }
    };
    let within = 0;
    for (let round = 1; round <= rounds; round++) {
      if (round > 1) {
        await send(stage, NAMES, [month.from + round * HOUR + round]);
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

export async function main(argv: string[]): Promise<number> {
  const row = await coldKill(readOptions(argv));
  return row.wrong.length === 0 && row.lost === 0 && row.twice === 0 ? 0 : 1;
}
