import mqtt from "mqtt";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { queueMessages, startMosquitto } from "../mosquitto";
import { killNow, processOf } from "../processes";
import { until } from "../waiting";
import { type DrillOptions, readOptions } from "./drill";
import { checkOnStage, exitCode } from "./on-stage";
import type { Row } from "./rows";
import { withDatabase } from "./stored";

const MESSAGES = 20_000;

/**
 * Messages queued at a real mosquitto for a bridge, which is killed twice while it reads them: each is stored once. Then retained messages without a time:
 * no reading. MOSQUITTO names the broker's command.
 * @returns undefined, and says so, where there is no mosquitto.
 */
export async function mqttBridge({ mode, short }: Omit<DrillOptions, "seed">): Promise<Row | undefined> {
  const broker = await startMosquitto();
  if ("missing" in broker) {
    console.log(`mqtt-bridge: left out, as there is no broker: ${broker.missing}`);
    return undefined;
  }
  return checkOnStage("mqtt-bridge", { mode }, async (stage, checks) => {
    const total = short ? MESSAGES / 10 : MESSAGES;
    const { url } = broker;
    await queueMessages(url, ["fieldwatch"], total);
    const sender = await mqtt.connectAsync(url);
    for (let n = 0; n < 10; n++) await sender.publishAsync(`old/kept-${n}`, `{"n":${n}}`, { qos: 1, retain: true });
    await sender.endAsync();

    const door = {
      type: "mqtt-bridge",
      url,
      clientId: "fieldwatch",
      username: null,
      ca: null,
      topics: ["plant/#"],
    } as const;
    const pool = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
    await makeSource(pool, "plant", { ...door, qos: 1 }, { rate: 1_000_000 });
    await pool.end();
    const count = (sql: string) =>
      withDatabase(stage, async (client) => (await client.query<{ n: number }>(sql)).rows[0]!.n);
    const stored = () => count(`SELECT count(*)::int AS n FROM reading WHERE device LIKE 'bridged-%'`);
    // A log in PostgreSQL tells at once how far the bridge is.
    const accepted = stage.engines.kafka
      ? stored
      : () => count(`SELECT coalesce(sum(records), 0)::float8 AS n FROM log_batch`);
    const intake = () => processOf(stage.product.tree(), "intake")?.pid;
    for (const share of [0.1, 0.4]) {
      await until(async () => (await accepted()) > total * share, {
        timeoutMs: 60_000,
        everyMs: 5,
        what: "some to be read",
      });
      const pid = intake()!;
      killNow([pid]);
      await until(() => (intake() ?? pid) !== pid, { timeoutMs: 30_000, what: "the supervisor to start intake" });
    }
    const [from, at] = [await accepted(), performance.now()];
    await until(async () => (await accepted()) >= total, { timeoutMs: 120_000, everyMs: 20, what: "all to be read" });
    const rate = Math.round(((await accepted()) - from) / ((performance.now() - at) / 1000));
    await until(async () => (await stored()) >= total, { timeoutMs: 120_000, what: "all to be stored" });
    console.log(`  after the last kill about ${rate} a second, the start of the process included`);
    const whole = await stored();
    checks.equal("queued, bridge killed twice: stored", whole, total);

    const again = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
    const old = { ...door, clientId: "fieldwatch-old", topics: ["old/#"], qos: 1 as const };
    await makeSource(again, "old", old);
    await again.end();
    const twins = () => count(`SELECT count(*)::int AS n FROM device_twin WHERE device LIKE 'kept-%'`);
    await until(async () => (await twins()) === 10, { timeoutMs: 60_000, what: "the twins of what was retained" });
    const readings = await count(`SELECT count(*)::int AS n FROM reading WHERE device LIKE 'kept-%'`);
    checks.equal("10 retained messages without a time: readings", readings, 0);
    return { faults: 2, sent: total, stored: whole };
  }).finally(() => broker.stop());
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await mqttBridge(readOptions(argv)));
}
