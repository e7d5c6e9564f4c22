import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { readLocalKey } from "@/server/config/local-key";
import { createFleet } from "@/server/simulator/fleet";
import { cleanEnv, ROOT } from "../product";
import { until } from "../waiting";
import { drained } from "./pipeline";
import { messageKey, storedSamples, withDatabase } from "./stored";
import type { Stage } from "./stage";

/** The simulator's own account, from the line it ends with. */
export interface SimulatorSum {
  readonly accepted: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly waiting: number;
  readonly dropped: number;
}

/** The product's simulator as a process of its own, with its outbox on disk. */
export interface Simulator {
  readonly devices: readonly string[];
  readonly intervalMs: number;
  log(): string;
  hasExited(): boolean;
  /** Tells it to stop, and reads its sum. */
  stop(): Promise<SimulatorSum>;
}

export interface SimulatorOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly devices: number;
  readonly intervalMs: number;
  readonly seed: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A command to run it under, which ends by running its arguments. */
  readonly under?: readonly string[];
}

const fleetOf = ({ seed, devices, intervalMs }: SimulatorOptions) =>
  createFleet({ seed, devices, intervalMs, faultsPerHour: 0 });

/** Starts it without faults of its own: what it sends can be worked out. */
export function startSimulator(
  { ended, product }: Pick<Stage, "ended" | "product">,
  options: SimulatorOptions,
): Simulator {
  const fleet = fleetOf(options);
  const logFile = `${options.dataDir}.log`;
  const out = openSync(logFile, "a");
  const [command = process.execPath, ...args] = [
    ...(options.under ?? []),
    process.execPath,
    path.join(ROOT, "dist", "main.mjs"),
    "simulator",
  ];
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      ...cleanEnv(),
      FIELDWATCH_DATA_DIR: options.dataDir,
      FIELDWATCH_KEY: readLocalKey(product.dataDir) ?? "",
      SIMULATOR_URL: options.url,
      SIMULATOR_SEED: String(options.seed),
      SIMULATOR_INTERVAL_MS: String(options.intervalMs),
      SIMULATOR_FAULTS_PER_HOUR: "0",
      DEMO_DEVICES: String(options.devices),
      LOG_FORMAT: "json",
      ...options.env,
    },
    stdio: ["ignore", out, out],
  });
  closeSync(out);
  ended.addEventListener("abort", () => child.kill("SIGKILL"), { once: true });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const log = () => readFileSync(logFile, "utf8");
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    devices: fleet.devices.map(({ name }) => name),
    intervalMs: options.intervalMs,
    log,
    hasExited,
    async stop() {
      if (hasExited()) throw new Error(`The simulator ended by itself.\n${log().slice(-3000)}`);
      child.kill("SIGTERM");
      await until(hasExited, { timeoutMs: 15_000, what: "the simulator to stop" });
      await exited;
      return sumOf(log());
    },
  };
}

function sumOf(log: string): SimulatorSum {
  const line = log.split("\n").findLast((one) => one.includes('"simulator stopped"'));
  if (line === undefined) throw new Error(`The simulator ended without its sum.\n${log.slice(-3000)}`);
  return (JSON.parse(line) as { details: SimulatorSum }).details;
}

/**
 * Enters what the simulator says was accepted into the ledger, from what is stored: each stored message must be one the fleet makes.
 * @returns messages accepted and not stored, messages stored the fleet never made, and messages missing between the first and
 * the last stored one of each device.
 */
export async function settle(
  stage: Stage,
  options: SimulatorOptions,
  sum: SimulatorSum,
): Promise<{ lost: number; strange: string[]; gaps: number }> {
  // Accepted is in the log; stored it is once the worker was there.
  await drained(stage.product, stage.ledger.messages + sum.accepted);
  const fleet = fleetOf(options);
  const byName = new Map(fleet.devices.map((device) => [device.name, device]));
  const samples = (await withDatabase(stage, storedSamples)).filter(
    ({ device, time }) => byName.has(device) && stage.ledger.devices.get(device)?.has(time) !== true,
  );
  const strange: string[] = [];
  const span = new Map<string, { first: number; last: number; count: number }>();
  for (const { device, time, readings } of samples) {
    const made = byName.get(device)!;
    const tick = Math.round((time - made.phaseMs) / options.intervalMs);
    const message = JSON.parse(fleet.messagesAt(made, tick)[0] ?? "{}") as {
      time?: string;
      readings?: Record<string, number | boolean>;
    };
    const sent = Object.entries(message.readings ?? {}).filter(([, value]) => typeof value !== "string");
    if (Date.parse(message.time ?? "") !== time || sent.length !== readings) strange.push(messageKey(device, time));
    else stage.ledger.acknowledge({ device, time, readings: Object.fromEntries(sent) });
    const seen = span.get(device) ?? { first: tick, last: tick, count: 0 };
    span.set(device, {
      first: Math.min(seen.first, tick),
      last: Math.max(seen.last, tick),
      count: seen.count + 1,
    });
  }
  const gaps = [...span.values()].reduce((total, { first, last, count }) => total + (last - first + 1 - count), 0);
  return { lost: sum.accepted - samples.length, strange, gaps };
}
