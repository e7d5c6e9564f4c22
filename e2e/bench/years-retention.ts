import pg from "pg";
import type { Product } from "../product";
import { pause, until } from "../waiting";
import { messageLine } from "./messages";
import { percentile } from "./report";

const DAY = 86_400_000;
const DAYS = 20;
/** Messages a second while it is measured, each a request of its own. */
const RATE = 25;
const QUIET_MS = 30_000;

/**
 * Keeps readings for 20 days and their minutes for ever from now on, and measures how long the job takes to remove the months before, and
 * what senders notice of it.
 */
export async function removeOldest(product: Product, to: number): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: product.connectionString() });
  await client.connect();
  try {
    const authorization = await product.authorization();
    const send = async (path: string, method: string, body: object) => {
      const init = {
        method,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...authorization },
      };
      const answer = await product.fetch(path, init);
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    };
    const before = await beside(product, () => pause(QUIET_MS));
    const month = new Date(to - DAYS * DAY);
    const old = await blocksBefore(client, Date.UTC(month.getUTCFullYear(), month.getUTCMonth()));
    await send("/api/v1/retention", "PATCH", { raw: DAYS });
    await client.query("UPDATE retention_rule SET changed_at = now() - interval '1 hour'");
    const began = performance.now();
    let took = 0;
    const during = await beside(product, async () => {
      await send("/api/v1/jobs/readings-retention/run", "POST", {});
      await until(() => hasEnded(client), { timeoutMs: 1_200_000, everyMs: 100, what: "the removal" });
      took = performance.now() - began;
      await pause(Math.max(0, QUIET_MS - took));
    });
    return {
      [`removing ${old.days} days of all devices, minutes kept`]: `${(took / 1000).toFixed(1)} s`,
      "that is, a day": `${(took / 1000 / Math.max(1, old.days)).toFixed(2)} s`,
      [`POST to its answer at ${RATE}/s, p50 and p99`]: before,
      "the same while they are removed": during,
    };
  } finally {
    await client.end();
  }
}

/** The days of the fleet that lie before a time. */
async function blocksBefore(client: pg.Client, before: number): Promise<{ days: number }> {
  const { rows } = await client.query<{ days: number }>(
    `SELECT round(count(*) / 24.0)::float8 AS days FROM sample s JOIN device d ON d.id = s.device_id
     WHERE d.name = 'years-000' AND s.time < $1`,
    [new Date(before)],
  );
  return rows[0]!;
}

async function hasEnded(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ state: string }>(
    "SELECT state FROM job_run WHERE job = 'readings-retention' AND trigger = 'request' ORDER BY created_at DESC LIMIT 1",
  );
  if (rows[0]?.state === "failed") throw new Error("the removal failed");
  return rows[0]?.state === "done";
}

/** Sends messages one by one as long as `work` takes. @returns the time from a request to its answer. */
async function beside(product: Product, work: () => Promise<void>): Promise<string> {
  const took: number[] = [];
  let isOver = false;
  const sending = (async () => {
    for (let i = 0; !isOver; i++) {
      const began = performance.now();
      const answer = await product.fetch("/api/v1/telemetry", {
        method: "POST",
        body: messageLine(i, Date.now()).line,
        headers: { "content-type": "application/x-ndjson" },
      });
      if (!answer.ok) throw new Error(`POST telemetry: ${answer.status}`);
      await answer.arrayBuffer();
      took.push(performance.now() - began);
      await pause(Math.max(0, 1000 / RATE - (performance.now() - began)));
    }
  })();
  await work().finally(() => (isOver = true));
  await sending;
  took.sort((a, b) => a - b);
  return [0.5, 0.99].map((q) => `${percentile(took, q).toFixed(0)} ms`).join(", ");
}
