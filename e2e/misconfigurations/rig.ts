import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { createKafkaInspection } from "@/server/adapters/kafka/inspection";
import { connectMongo } from "@/server/adapters/mongodb/connection";
import { createMongoInspection } from "@/server/adapters/mongodb/inspection";
import { composeEngines, type Engines } from "@/server/compose";
import { watchJobs } from "@/server/health/jobs";
import { composeProbes } from "@/server/compose-health";
import { composePipelineState } from "@/server/compose-web";
import { type Config, loadConfig } from "@/server/config/config";
import type { ProbeResult } from "@/server/contracts/health";
import { startMonitor } from "@/server/health/monitor";
import { verdict } from "@/server/health/verdict";

const logger = pino({ level: "silent" });

/** Health as the web process sees it. */
export interface Diagnosis {
  readonly results: readonly ProbeResult[];
  readonly verdict: string;
  /** The one probe of that name. */
  probe(name: string): ProbeResult;
  /** Names of the probes that accuse something besides those expected: neither passing nor pointing at an engine to mend first. */
  accusing(...expected: string[]): string[];
}

/** Probes that rightly fail in every test, as neither workers nor the test server's durability are set up. */
const ALWAYS = ["pipeline.workers", "kafka.group", "postgres.durable", "postgres.privileges"];

export interface DiagnoseOptions {
  readonly now?: () => number;
  readonly dataDir?: string;
}

/** Tests share the machine with each other: what is said of load is no misconfiguration. */
const BUSY = /^(PostgreSQL|MongoDB) or its machine is busy\.$/;

/** Asks every probe once, on engines composed from these variables as the web process does. */
export async function diagnose(env: Record<string, string>, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const now = options.now ?? Date.now;
  const ownDir = options.dataDir === undefined ? mkdtempSync(path.join(tmpdir(), "fieldwatch-health-")) : undefined;
  const config = loadConfig({ ...env, FIELDWATCH_DATA_DIR: options.dataDir ?? ownDir! }, "");
  const engines = await composeEngines(config, "test", logger);
  const inspection = await inspectionWith(now, config, engines.inspection);
  const pipelineState = composePipelineState(engines, { staleSeconds: 60, now, onLogError: () => {} });
  const liveState = () => ({ listening: true, lastError: null, lastFrame: null, browsers: 0 });
  const encryption = () => ({ exposure: "loopback", certificate: null }) as const;
  const probes = composeProbes({
    config,
    engines: { ...engines, inspection },
    pipelineState,
    liveState,
    encryption,
    jobs: watchJobs(async () => []),
    now,
  });
  const monitor = startMonitor(probes, { everyMs: 3_600_000, now });
  try {
    await monitor.firstRound();
    const results = monitor.results();
    return {
      results,
      verdict: verdict(results, null),
      probe(name) {
        const found = results.find((each) => each.name === name);
        if (!found) throw new Error(`There is no probe ${name} among ${results.map((each) => each.name).join(", ")}`);
        return found;
      },
      accusing: (...expected) =>
        results
          .filter(({ status, fix }) => status !== "pass" && !fix?.startsWith("First mend "))
          .map(({ name, cause }) => ({ name, cause }))
          .filter(
            ({ name, cause }) =>
              !BUSY.test(cause ?? "") &&
              ![...ALWAYS, ...expected].some((one) => name === one || name.startsWith(`${one}.`)),
          )
          .map(({ name, cause }) => `${name}: ${cause}`),
    };
  } finally {
    monitor.stop();
    await inspection.close?.();
    await engines.close();
    if (ownDir) rmSync(ownDir, { recursive: true });
  }
}

/** The same inspections, reading `now` for the clock here. */
async function inspectionWith(now: () => number, config: Config, { kafka, mongodb }: Engines["inspection"]) {
  const { MONGODB_URI } = config.engines;
  if (now === Date.now) return { kafka, mongodb, close: undefined };
  const connection = mongodb && MONGODB_URI ? connectMongo(MONGODB_URI, "test", logger) : null;
  return {
    kafka: kafka && createKafkaInspection({ settings: config.engines, now }),
    mongodb: connection && createMongoInspection({ ...connection, indexes: [], now }),
    close: () => connection?.close(),
  };
}

/** A port that takes connections and does what `onConnection` says; nothing, when left out. */
export async function listening(onConnection: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.resume(); // Or it would never hear that the other end has gone.
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
