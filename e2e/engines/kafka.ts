import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { Kafka, logLevel } from "@/server/adapters/kafka/kafkajs";
import { StartError } from "@/server/postgres/start-error";
import { makeCertificate } from "./certificate";
import { type Engine, engineFolder, launchLogged, startEngine, untilAnswers } from "./engine";
import { type Java, prepareJava } from "./java";
import { type KafkaPorts, newClusterId, serverProperties } from "./kafka-properties";
import { freePort } from "./ports";

const run = promisify(execFile);

/** One Apache Kafka broker, which is its own controller. */
export interface KafkaServer extends Engine {
  /** Address where clients start, `127.0.0.1:port`; stays the same over stop and start. */
  readonly brokers: string;
  readonly clusterId: string;
  /** PEM file of the authority that signed its certificate; only with `tls`. */
  readonly caFile?: string;
}

export interface KafkaOptions {
  /** Folder of its data, kept after the end; a temporary one if left out. */
  readonly dataDir?: string;
  /** A free port if left out. */
  readonly port?: number;
  /** host:port told to clients instead of the real one. */
  readonly advertised?: string;
  /**
   * Password of each user: clients must then sign in with SASL (PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512). In a
   * kept folder the SCRAM passwords are those of its first start.
   */
  readonly users?: Readonly<Record<string, string>>;
  /** Clients must use TLS. */
  readonly tls?: boolean;
  /** More broker settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Most memory of Java's heap, as Java's -Xmx takes it; 768m. */
  readonly heap?: string;
  /** More environment of its process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with a line about anything that takes long. */
  readonly say?: (line: string) => void;
}

/** Starts Kafka and waits until it answers. @throws EnginesMissing without Java or Maven; StartError when it doesn't start. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const java = await prepareJava(options.say);
  const ports: KafkaPorts = {
    clients: options.port ?? (await freePort()),
    internal: await freePort(),
    controller: await freePort(),
  };
  const folder = engineFolder("kafka", options.dataDir);
  const { dataDir } = folder;
  mkdirSync(dataDir, { recursive: true });
  const logFile = path.join(dataDir, "kafka.log");
  const certificate = options.tls === true ? await makeCertificate(dataDir) : undefined;
  const properties = path.join(dataDir, "server.properties");
  writeFileSync(properties, serverProperties({ ...options, certificate, ports, logDir: path.join(dataDir, "log") }), {
    mode: 0o600,
  });
  let clusterId = "";
  const engine = await startEngine({
    folder,
    stopSignal: "TERM",
    logFile,
    async launch(onLaunch) {
      clusterId = await format(java, dataDir, properties, options.users);
      const flags = [`-Xmx${options.heap ?? "768m"}`, "-Djava.awt.headless=true", "-Dlog4j2.level=INFO"];
      const args = [...flags, "-cp", java.classPath, "kafka.Kafka", properties];
      const launched = launchLogged(java.program, args, { logFile, ...(options.env && { env: options.env }) });
      onLaunch(launched);
      await untilAnswers("Kafka", launched, logFile, () => answers(ports.internal, clusterId));
    },
  });
  return Object.assign(Object.create(engine) as Engine, {
    brokers: `127.0.0.1:${ports.clients}`,
    clusterId,
    ...(certificate && { caFile: certificate.caFile }),
  });
}

/** Formats the log folder if it is new. @returns the cluster's id. */
async function format(
  java: Java,
  dataDir: string,
  properties: string,
  users: Readonly<Record<string, string>> = {},
): Promise<string> {
  const file = path.join(dataDir, "cluster.id");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  // An earlier start may have been killed halfway.
  rmSync(path.join(dataDir, "log"), { recursive: true, force: true });
  const id = newClusterId();
  const scram = Object.entries(users).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((kind) => [
      "--add-scram",
      `${kind}=[name=${name},password=${password}]`,
    ]),
  );
  try {
    const tool = ["-cp", java.classPath, "kafka.tools.StorageTool"];
    await run(java.program, [...tool, "format", "-t", id, "-c", properties, ...scram]);
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new StartError(
      "Kafka's folder can't be set up",
      `${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n") || message,
      `Fix what it says, or remove ${dataDir}.`,
    );
  }
  writeFileSync(`${file}.new`, `${id}\n`);
  renameSync(`${file}.new`, file);
  return id;
}

/** Asks on the listener that needs no sign-in and is never advertised wrongly. */
async function answers(port: number, clusterId: string): Promise<boolean> {
  const admin = new Kafka({
    clientId: "fieldwatch-engines",
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3000,
    requestTimeout: 3000,
    retry: { retries: 0 },
  }).admin();
  let found: { clusterId: string; brokers: readonly unknown[] };
  try {
    await admin.connect();
    found = await admin.describeCluster();
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
  if (found.clusterId !== clusterId) throw new Error(`Another Kafka answers on port ${port}.`);
  return found.brokers.length > 0;
}
