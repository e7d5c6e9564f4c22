import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { killNow, processOf } from "../processes";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import type { SentMessage } from "./ledger";
import { drained } from "./pipeline";
import type { Stage } from "./stage";
import { withDatabase } from "./stored";

const DEVICES = 10;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const A_REQUEST = 500;

/** The worker killed with SIGKILL while it merges hours: first all that came, then those that got late readings in each round. */
export const mergeKill: Drill = {
  name: "merge-kill",
  stage: "plain",
  async run(stage, { short, random, say }) {
    const [rounds, hours, stepMs] = short ? [2, 48, 2 * MINUTE] : [10, 72, MINUTE];
    const begin = Math.floor(Date.now() / HOUR) * HOUR - hours * HOUR;
    const times = Array.from({ length: (hours * HOUR) / stepMs }, (_, i) => begin + i * stepMs);
    await send(stage, times);
    const recoveries: number[] = [];
    let within = 0;
    for (let round = 1; round <= rounds; round++) {
      // A reading in each hour but the last, where there was none.
      if (round > 1)
        await send(
          stage,
          Array.from({ length: hours - 1 }, (_, i) => begin + i * HOUR + round),
        );
      await drained(stage.product, stage.ledger.messages);
      const run = await startRun(stage);
      await pause(random() * 100);
      const worker = processOf(stage.product.tree(), "worker");
      if (!worker) throw new Error("there is no worker process to kill");
      killNow([worker.pid]);
      const killed = performance.now();
      if ((await stateOf(stage, run)) === "running") within++;
      await until(async () => (await stateOf(stage, run)) === "done" && (await unmerged(stage)) === 0, {
        timeoutMs: 120_000,
        what: "another worker to merge the rest",
      });
      recoveries.push((performance.now() - killed) / 1000);
    }
    say(`${rounds} workers killed, ${within} of them while the run was at work`);
    return { recoveries };
  },
};

/** Posts a message of each device at each of these times; repeats what was not answered. */
async function send({ product, ledger }: Stage, times: readonly number[]): Promise<void> {
  const messages = times.flatMap((time) =>
    Array.from({ length: DEVICES }, (_, i): SentMessage => {
      const readings = { a: (time / 1000 + i) % 64, b: (time / MINUTE) % 2 < 1, c: i / 4 };
      return { device: `merge-kill-${i}`, time, readings };
    }),
  );
  const headers = { "content-type": "application/x-ndjson" };
  for (let at = 0; at < messages.length; at += A_REQUEST) {
    const some = messages.slice(at, at + A_REQUEST);
    const body = some.map((message) => JSON.stringify(message)).join("\n");
    await until(
      async () => {
        const answer = await product.fetch("/api/v1/telemetry", { method: "POST", headers, body }).catch(() => null);
        if (!answer?.ok) return false;
        const { rejected } = (await answer.json()) as TelemetryAnswer;
        if (rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(rejected[0])}`);
        return true;
      },
      { timeoutMs: 60_000, what: "messages to be taken" },
    );
    for (const message of some) ledger.acknowledge(message);
  }
}

/** Asks for a run and waits until it is at work, or done already; takes the one there is. @returns its id. */
async function startRun(stage: Stage): Promise<string> {
  const headers = { "content-type": "application/json" };
  const answer = await stage.product.fetch(`/api/v1/jobs/readings-merge/run`, { method: "POST", headers, body: "{}" });
  if (!answer.ok && answer.status !== 409) throw new Error(`POST run: ${answer.status} ${await answer.text()}`);
  return withDatabase(stage, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      "SELECT id FROM job_run WHERE job = 'readings-merge' ORDER BY created_at DESC LIMIT 1",
    );
    const { id } = rows[0]!;
    const isWaiting = async () =>
      (await client.query("SELECT FROM job_run WHERE id = $1 AND state = 'waiting'", [id])).rowCount === 1;
    await until(async () => !(await isWaiting()), { timeoutMs: 30_000, what: "the run to begin", everyMs: 2 });
    return id;
  });
}

/** A scheduled run that found nothing is kept no longer than the next: gone is done. */
function stateOf(stage: Stage, run: string): Promise<string> {
  return withDatabase(stage, async (client) => {
    const { rows } = await client.query<{ state: string }>("SELECT state FROM job_run WHERE id = $1", [run]);
    return rows[0]?.state ?? "done";
  });
}

/** Hours of the drill's devices that are to be merged and aren't. */
function unmerged(stage: Stage): Promise<number> {
  return withDatabase(stage, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM device d WHERE starts_with(name, 'merge-kill') AND (
         d.rolled_until IS NULL OR d.rolled_until < date_trunc('hour', d.last_event_time, 'UTC')
         OR EXISTS (SELECT FROM late_hour l WHERE l.device_id = d.id))`,
    );
    return rows[0]!.n;
  });
}

export async function main(argv: string[]): Promise<number> {
  return runDrills([mergeKill], readOptions(argv));
}
