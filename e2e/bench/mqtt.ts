import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import pino from "pino";
import { processOf } from "../processes";
import { freePort, startProduct } from "../product";
import { pause, until } from "../waiting";
import { cpuSeconds } from "./cpu";
import { attack, ATTACKS } from "./mqtt-attacks";
import { startMqttLoad } from "./mqtt-load";
import { machine, markdownTable } from "./report";

const MB = 2 ** 20;

/**
 * The MQTT listener of the built product on its embedded engines: messages a second that the log holds, the time to a PUBACK, memory and
 * processor time of its process; and what senders that mean it ill cost while others send.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      clients: { type: "string", default: "20" },
      inFlight: { type: "string", default: "50" },
      seconds: { type: "string", default: "20" },
      /** One attack alone, beside the same load without it. */
      only: { type: "string" },
    },
  });
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-mqtt-"));
  const port = await freePort();
  const env = {
    DEMO_DEVICES: "0",
    MQTT_PORT: String(port),
    KEY_MESSAGES_PER_SECOND: "0",
    KEY_NEW_DEVICES_PER_HOUR: "100000",
  };
  const product = await startProduct({ dataDir: path.join(folder, "data"), env });
  try {
    await product.ready();
    const pool = createPool(product.connectionString(), { role: "bench", logger: pino({ level: "silent" }), size: 2 });
    const { key } = await makeSource(pool, "bench", { type: "mqtt", topics: [] });
    await pool.end();
    await until(() => processOf(product.tree(), "intake") !== undefined, { timeoutMs: 20_000, what: "intake" });
    const intake = () => processOf(product.tree(), "intake")!;
    await until(() => product.log().includes(`:${port} is open`), { timeoutMs: 20_000, what: "the listener" });
    const rows: string[][] = [];
    const measure = async (
      name: string,
      clients: number,
      inFlight: number,
      seconds: number,
      beside?: () => Promise<number>,
    ) => {
      const load = await startMqttLoad({ port, key, clients, inFlight });
      await pause(2000);
      load.forget();
      const before = { cpu: cpuSeconds(intake().pid), rss: intake().rss };
      const began = performance.now();
      let peak = before.rss;
      const watching = setInterval(() => (peak = Math.max(peak, intake().rss)), 250);
      const [, attacked] = await Promise.all([pause(seconds * 1000), beside?.()]);
      clearInterval(watching);
      const took = (performance.now() - began) / 1000;
      const { acknowledged, p50, p99, ended } = load.figures();
      const after = { cpu: cpuSeconds(intake().pid), rss: intake().rss };
      peak = Math.max(peak, after.rss);
      await load.stop();
      rows.push([
        ...[name, String(Math.round(acknowledged / took)), p50.toFixed(0), p99.toFixed(0)],
        ...[
          (((after.cpu - before.cpu) / (acknowledged + (attacked ?? 0))) * 1e6).toFixed(0),
          `${Math.round(before.rss / MB)} → ${Math.round(after.rss / MB)}, at most ${Math.round(peak / MB)}`,
          String(ended),
          attacked === undefined ? "–" : String(Math.round(attacked / took)),
        ],
      ]);
    };
    const [clients, inFlight, seconds] = [Number(values.clients), Number(values.inFlight), Number(values.seconds)];
    if (values.only === undefined) {
      await measure("1 client, 1 in flight", 1, 1, 5);
      await measure(`${clients} clients × ${inFlight} in flight`, clients, inFlight, seconds);
    }
    await measure("5 × 10", 5, 10, 10);
    for (const name of ATTACKS.filter((one) => values.only === undefined || values.only === one))
      await measure(`5 × 10, beside: ${name}`, 5, 10, 10, () => attack(name, { port, key }));
    const head = [
      "",
      "messages/s",
      "PUBACK p50 ms",
      "p99 ms",
      "CPU µs each",
      "RSS MB",
      "clients let go",
      "attack's messages/s",
    ];
    console.log(`${machine()}\n\n${markdownTable(head, rows)}`);
    return 0;
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
