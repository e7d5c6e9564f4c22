import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import pino from "pino";
import { createPostgresEventLog } from "@/server/adapters/postgres/event-log";
import { TOPICS } from "@/server/domain/terms";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { queueMessages, startMosquitto } from "../mosquitto";
import { startProduct } from "../product";
import { until } from "../waiting";
import { machine, markdownTable } from "./report";

/**
 * Messages of QoS 1 that wait at a real mosquitto (MOSQUITTO names its command), read by the bridge of the built product on its embedded engines; and by mqtt.js
 * alone, which hands over one message at a time, each acknowledged once the same event log has it.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { messages: { type: "string", default: "20000" }, seconds: { type: "string", default: "10" } },
  });
  const total = Number(values.messages);
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-bridge-"));
  const broker = await startMosquitto();
  if ("missing" in broker) throw new Error(broker.missing);
  const { url } = broker;
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    await queueMessages(url, ["fieldwatch", "alone"], total);
    const pool = createPool(product.connectionString(), { role: "bench", logger: pino({ level: "silent" }), size: 2 });
    try {
      const rows = [await bridged(), await alone(Number(values.seconds))];
      const head = ["", "messages", "seconds", "messages/s"];
      console.log(`${machine()}\n\n${markdownTable(head, rows)}`);
    } finally {
      await pool.end();
    }
    return 0;

    async function bridged(): Promise<string[]> {
      const door = { type: "mqtt-bridge", url, clientId: "fieldwatch", username: null, ca: null } as const;
      await makeSource(pool, "plant", { ...door, topics: ["plant/#"], qos: 1 }, { rate: 1_000_000 });
      const held = async () =>
        (await pool.query<{ n: number }>(`SELECT coalesce(sum(records), 0)::float8 AS n FROM log_batch`)).rows[0]!.n;
      let first = 0;
      await until(async () => (first = await held()) > 0, { timeoutMs: 60_000, everyMs: 5, what: "a first batch" });
      const began = performance.now();
      await until(async () => (await held()) >= total, {
        timeoutMs: 300_000,
        everyMs: 10,
        what: "all to be in the log",
      });
      return row("Fieldwatch's bridge, from its first batch on", total - first, (performance.now() - began) / 1000);
    }

    async function alone(seconds: number): Promise<string[]> {
      const log = createPostgresEventLog({
        ...{ pool, connectionString: product.connectionString(), role: "bench", logger: pino({ level: "silent" }) },
      });
      const client = mqtt.connect(url, { clientId: "alone", clean: false, manualConnect: true });
      let count = 0;
      client.handleMessage = ({ topic, payload }, done) => {
        log.append(TOPICS.telemetry, [{ key: topic, value: payload as Buffer }]).then(
          () => {
            count += 1;
            done();
          },
          (error: Error) => done(error),
        );
      };
      const began = performance.now();
      const isOver = () => count >= total || performance.now() - began > seconds * 1000;
      client.connect();
      await until(isOver, { timeoutMs: (seconds + 10) * 1000, everyMs: 10, what: "mqtt.js to have read for a while" });
      const took = (performance.now() - began) / 1000;
      const read = count;
      await client.endAsync(true);
      await log.close();
      return row("mqtt.js alone", read, took);
    }
  } finally {
    await product.stop();
    broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, messages: number, seconds: number): string[] {
  return [what, String(messages), seconds.toFixed(1), String(Math.round(messages / seconds))];
}
