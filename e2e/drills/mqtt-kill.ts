import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import mqtt, { type MqttClient } from "mqtt";
import pino from "pino";
import { createPool } from "@/server/postgres/connection";
import { makeSource } from "@/server/testing/source-rig";
import { killNow, processOf } from "../processes";
import { freePort } from "../product";
import { pause, seeded, until } from "../waiting";
import { type DrillOptions, readOptions } from "./drill";
import { drained } from "./pipeline";
import { checkOnStage, exitCode } from "./on-stage";
import type { Row } from "./rows";
import type { Stage } from "./stage";
import { storedSamples, withDatabase } from "./stored";
import { compare } from "./verify";

const CLIENTS = 6;
const EVERY_MS = 20;

/**
 * The MQTT listener killed with SIGKILL under load, and then its log away for five seconds: what was acknowledged is stored, and no client hears an
 * error. With mqtt.js always; with mosquitto_pub and paho too, where MOSQUITTO_PUB (a command) and PAHO (a folder with the package) name them.
 */
export async function mqttKill({ mode, short, seed }: DrillOptions): Promise<Row> {
  const rounds = short ? 2 : 10;
  const random = seeded(seed);
  const port = await freePort();
  // The proxy before PostgreSQL can take the embedded log away.
  const env = { MQTT_PORT: String(port), KEY_NEW_DEVICES_PER_HOUR: "1000" };
  return checkOnStage("mqtt-kill", { mode, kind: "proxied", env }, async (stage, checks) => {
    const key = await keyOf(stage);
    const { product } = stage;
    const intake = () => processOf(product.tree(), "intake")?.pid;
    await until(() => product.log().includes(`:${port} is open`), { timeoutMs: 30_000, what: "the listener" });
    const load = startLoad(stage, port, key);
    await until(() => stage.ledger.messages > 50, { timeoutMs: 30_000, what: "a first acknowledgement" });
    for (let round = 1; round <= rounds; round++) {
      await pause(300 + random() * 1200);
      // mqtt.js fails by itself what is published while it still sends again, if the connection ends just then.
      await until(() => load.owed() <= 2 * CLIENTS, { timeoutMs: 60_000, what: "clients to have sent again" });
      const pid = intake();
      if (pid === undefined) throw new Error("there is no intake process to kill");
      killNow([pid]);
      await until(() => (intake() ?? pid) !== pid, { timeoutMs: 30_000, what: "the supervisor to start intake" });
      const before = stage.ledger.messages;
      await until(() => stage.ledger.messages > before + CLIENTS, {
        timeoutMs: 60_000,
        what: "acknowledgements again",
      });
    }
    console.log(`  intake killed ${rounds} times; ${stage.ledger.messages} messages acknowledged`);
    const others = startOthers(port, key);
    await pause(short ? 500 : 2000);
    const heard = load.heard();
    const proxy = stage.engines.proxies.kafka ?? stage.engines.proxies.postgres!;
    const before = stage.ledger.messages;
    proxy.cut();
    await pause(5000);
    const during = stage.ledger.messages - before;
    proxy.mend();
    await until(() => stage.ledger.messages > before + during + 20 * CLIENTS, {
      timeoutMs: 60_000,
      what: "acknowledgements again",
    });
    console.log(
      `  the log was away for 5 s: ${during} acknowledged meanwhile, ${load.heard() - heard} errors or ends of connections`,
    );
    checks.equal("clients heard of the outage", load.heard() - heard, 0);
    await load.stop();
    for (const { name, failed, sent } of await others.stop()) {
      checks.equal(`${name}: of ${sent} messages failed`, failed, 0);
    }
    checks.equal("publishes that failed", [...load.failures], []);
    await withDatabase(stage, async (client) => {
      const { rows } = await client.query<{ refused: object }>(
        `SELECT refused FROM source_count WHERE refused <> '{}'`,
      );
      checks.equal("refused", rows, []);
    });
    await drained(product, stage.ledger.messages);
    // mosquitto_pub and paho send of devices that the ledger doesn't know.
    const { stored, repeated } = compare(stage.ledger, await withDatabase(stage, storedSamples), new Set());
    checks.equal("stored twice", repeated, 0);
    return { faults: rounds + 1, sent: stage.ledger.readings, stored };
  });
}

export async function main(argv: string[]): Promise<number> {
  return exitCode(await mqttKill(readOptions(argv)));
}

async function keyOf(stage: Stage): Promise<string> {
  const pool = createPool(stage.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
  try {
    return (await makeSource(pool, "drill", { type: "mqtt", topics: [] })).key;
  } finally {
    await pool.end();
  }
}

/** Clients that publish at a steady rate by QoS 1, and keep what isn't acknowledged. */
function startLoad({ ledger }: Stage, port: number, key: string) {
  const failures = new Map<string, number>();
  let heard = 0;
  let owed = 0;
  let isOver = false;
  const clients: MqttClient[] = Array.from({ length: CLIENTS }, (_, n) => {
    const client = mqtt.connect({
      ...{ host: "127.0.0.1", port, username: "drill", password: key, clientId: `drill-${n}`, clean: false },
      ...{ reconnectPeriod: 200, protocolVersion: n % 2 === 0 ? 4 : 5 },
    });
    client.on("error", () => (heard += 1));
    client.on("close", () => (heard += isOver ? 0 : 1));
    return client;
  });
  let at = Date.now();
  const timer = setInterval(() => {
    at += EVERY_MS;
    for (const [n, client] of clients.entries()) {
      const message = { device: `mqtt-${n}`, time: at, readings: { temperature: 20 + (at % 100) / 10, running: true } };
      const text = JSON.stringify({ at, ...message.readings });
      owed += 1;
      client.publish(`drill/${message.device}`, text, { qos: 1 }, (error) => {
        owed -= 1;
        if (error) failures.set(error.message, (failures.get(error.message) ?? 0) + 1);
        else ledger.acknowledge(message);
      });
    }
  }, EVERY_MS);
  return {
    failures,
    owed: () => owed,
    heard: () => heard,
    async stop() {
      clearInterval(timer);
      await until(() => owed === 0, { timeoutMs: 60_000, what: "every publish to be acknowledged" });
      isOver = true;
      await Promise.all(clients.map((client) => client.endAsync()));
    },
  };
}

interface Other {
  readonly name: string;
  readonly sent: number;
  readonly failed: number;
}

/** mosquitto_pub and paho, each sending until told to stop; their messages are about devices the ledger doesn't know. */
function startOthers(port: number, key: string): { stop(): Promise<readonly Other[]> } {
  const { MOSQUITTO_PUB: command, PAHO: paho } = process.env;
  let isOver = false;
  const run = async (name: string, start: (n: number) => ChildProcess): Promise<Other> => {
    let [sent, failed] = [0, 0];
    for (; !isOver; sent++) {
      const code = await new Promise<number | null>((resolve) =>
        start(sent)
          .once("close", resolve)
          .once("error", () => resolve(-1)),
      );
      if (code !== 0) failed += 1;
    }
    return { name, sent, failed };
  };
  const address = ["-h", "127.0.0.1", "-p", String(port), "-u", "x", "-P", key, "-q", "1"];
  const all: Promise<Other>[] = [];
  if (command !== undefined)
    all.push(
      ...(["mqttv311", "mqttv5"] as const).map((version) =>
        run(`mosquitto_pub ${version}`, (n) =>
          spawn(command, [...address, "-V", version, "-t", `other/${version}`, "-m", `{"at":${Date.now()},"n":${n}}`], {
            stdio: ["ignore", "ignore", "inherit"],
          }),
        ),
      ),
    );
  if (paho !== undefined && existsSync(paho)) {
    const script = path.join(import.meta.dirname, "..", "..", "..", "e2e", "fixtures", "paho-publish.py");
    const env = { ...process.env, PYTHONPATH: paho };
    all.push(
      run("paho", () => spawn("python3", [script, String(port), key], { env, stdio: ["ignore", "ignore", "inherit"] })),
    );
  }
  return {
    async stop() {
      isOver = true;
      return Promise.all(all);
    },
  };
}
