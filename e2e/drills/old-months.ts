import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { until } from "../waiting";
import type { Stage } from "./stage";
import { withDatabase } from "./stored";

const A_REQUEST = 2000;

/** A stretch of event time: from, and before `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The month of UTC that is so many months ago. */
export function monthAgo(months: number): Range {
  const date = new Date();
  const start = (ago: number) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - ago);
  return { from: start(months), to: start(months - 1) };
}

/** Posts a message of each device at each of these times. */
export async function send({ product }: Stage, devices: readonly string[], times: readonly number[]): Promise<void> {
  const lines = times.flatMap((time) =>
    devices.map((device, i) => JSON.stringify({ device, time, readings: { level: (time / 1000 + i) % 64 } })),
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

/** The times of a device's readings, or of minutes with any, as a download has them. */
export async function readingsOf(
  { product }: Stage,
  device: string,
  { from, to }: Range,
  resolution: "raw" | "minute" = "raw",
): Promise<string[]> {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const answer = await product.fetch(
    `/api/v1/devices/${device}/readings.csv?metric=level&resolution=${resolution}&${range}`,
  );
  const text = await answer.text();
  if (!answer.ok) throw new Error(`readings.csv: ${answer.status} ${text.slice(0, 300)}`);
  return text
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(",")[0]!);
}

/** Asks for a run of a job. */
export async function request({ product }: Pick<Stage, "product">, job: string): Promise<void> {
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
export async function ran(stage: Stage, job: string): Promise<void> {
  const idle = () =>
    until(async () => (await unfinished(stage, job)) === 0, { timeoutMs: 120_000, what: `the run of ${job} to end` });
  await idle();
  await request(stage, job);
  await idle();
}

/** Runs of a job that haven't ended. */
export function unfinished(stage: Stage, job: string): Promise<number> {
  return count(stage, "SELECT count(*)::int AS n FROM job_run WHERE job = $1 AND state IN ('waiting', 'running')", [
    job,
  ]);
}

/** One number from PostgreSQL, called n. */
export function count(stage: Stage, text: string, values: readonly unknown[]): Promise<number> {
  return withDatabase(stage, async (client) => (await client.query<{ n: number }>(text, [...values])).rows[0]!.n);
}
