import type { Pool } from "pg";
import { expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { addRule } from "@/server/testing/alert-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { seeded } from "@/server/testing/seeded";
import { createReadRules } from "./active-rules";
import { createTurn } from "./run-alerting";
import { createBeat } from "./telemetry-open";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;
const DEVICES = 60;
const EVERY_MS = 10 * S;
/** When what is ours goes away. */
const AWAY = 60 * S;
/** When the one that is truly silent speaks its last. */
const LAST = AWAY - 5 * S;

interface Outage {
  readonly away: "worker" | "kafka" | "web" | "postgres";
  readonly seconds: number;
  /** The longest that a device waits before it tries again, in seconds. */
  readonly patience: number;
}

/** Devices with an outbox, our processes, and a clock: what there is of alerts at the end, and when the silent one was told of. */
async function simulate({ away, seconds, patience }: Outage) {
  await addRule(bench.pool, "silent", { kind: "silence" });
  await addRule(bench.pool, "cut off", { kind: "share-of-site" });
  let now = T;
  const back = T + AWAY + seconds * S;
  const isAway = (what: Outage["away"]) => what === away && now >= T + AWAY && now < back;
  const taken = () => !isAway("web") && !isAway("kafka") && !isAway("postgres");
  const random = seeded(7);
  const devices = Array.from({ length: DEVICES }, (_, i) => ({
    ...{ name: `d${i}`, outbox: [] as number[], next: T + random() * EVERY_MS, tryAt: T, wait: 250 },
  }));
  const rig = await bench.rig();
  const accepts = async () => {
    if (!taken()) throw new Error("away");
  };
  const beatOf = (name: string) => {
    const query = (text: string, values: unknown[]) =>
      isAway("postgres") ? Promise.reject(new Error("away")) : bench.pool.query(text, values);
    const own = { query } as unknown as Pool;
    return createBeat(own, name, { accepts, onError: () => undefined, now: () => now });
  };
  const turn = createTurn({
    ...{ pool: bench.pool, readBlocks, staleMs: 600 * S, describe: bench.log.describe, now: () => now },
    readRules: createReadRules(),
  });
  let web = { beat: beatOf("web 1"), at: T, runs: 1 };
  let told: number | null = null;
  for (; now < back + 60 * S; now += 1000) {
    for (const device of devices) {
      for (; device.next <= now; device.next += EVERY_MS * (0.8 + 0.4 * random()))
        if (device.name !== "d0" || device.next <= T + LAST) device.outbox.push(device.next);
      if (device.outbox.length === 0 || device.tryAt > now) continue;
      if (!taken()) {
        device.tryAt = now + device.wait * (0.5 + random() / 2);
        device.wait = Math.min(2 * device.wait, patience * S);
        continue;
      }
      device.wait = 250;
      for (const time of device.outbox.splice(0))
        bench.log.append(Number(device.name.slice(1)) % 2, { device: device.name, time, readings: { level: 1 } }, now);
    }
    if (isAway("web")) web = { beat: beatOf(`web ${web.runs + 1}`), at: now + 1, runs: web.runs + 1 };
    else if (web.at <= now) web.at = now + (await web.beat());
    if (isAway("worker") || isAway("kafka") || isAway("postgres")) continue;
    // Looked at each second once it may matter; a look in between decides nothing else.
    if (now < back && (now - T) % (10 * S) !== 0) continue;
    await rig.drain();
    if (now === T + 20 * S)
      await bench.pool.query(
        `INSERT INTO site (name) VALUES ('north'); UPDATE device SET gaps = 30, gap_p99 = 12000, site_id = (SELECT id FROM site)`,
      );
    await turn(AbortSignal.timeout(60_000));
    const { rows } = await bench.pool.query<{ device: string }>(`SELECT device_name AS device FROM alert`);
    if (rows.length > 0) told ??= now;
    if (rows.some(({ device }) => device !== "d0")) break;
  }
  const { rows } = await bench.pool.query<{ device: string; state: string; last: number; longest: number }>(
    `SELECT a.device_name AS device, a.state, (extract(epoch FROM d.last_seen) * 1000)::float8 AS last,
       (SELECT max(gap_p99) FROM device) AS longest FROM alert a LEFT JOIN device d ON d.id = a.device_id ORDER BY a.id`,
  );
  return { alerts: rows, told };
}

test.each<Outage & { readonly closed: boolean }>([
  { away: "worker", seconds: 600, patience: 5, closed: false },
  { away: "kafka", seconds: 300, patience: 5, closed: true },
  { away: "web", seconds: 300, patience: 15, closed: true },
  { away: "postgres", seconds: 120, patience: 15, closed: true },
])(
  "while the $away is away for $seconds s nobody is silent but the one that is, who is told of in time",
  async ({ closed, ...outage }) => {
    const { alerts, told } = await simulate(outage);
    expect(alerts).toMatchObject([{ device: "d0", state: "firing" }]);
    const { last, longest } = alerts[0]!;
    expect(longest, "what was ours isn't learned").toBeLessThan(20 * S);
    const away = outage.seconds * S;
    const deadline = closed ? last + 36 * S + away : Math.max(last + 36 * S, T + AWAY + away);
    expect(told! - deadline).toBeLessThanOrEqual(5 * S);
    expect(told! - deadline, "nor much too early").toBeGreaterThanOrEqual(-6 * S);
  },
  120_000,
);
