import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "@/server/config/config";
import { startTelemetryDouble, type TelemetryDouble } from "@/server/delivery/telemetry-double";
import { until } from "@/server/testing/until";
import { runSimulator } from "./run";

const logger = pino({ level: "silent" });
let folder: string;
let server: TelemetryDouble;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-simulator-"));
  server = await startTelemetryDouble();
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function config(overrides: Record<string, string> = {}) {
  return loadConfig(
    {
      FIELDWATCH_DATA_DIR: folder,
      DEMO_DEVICES: "10",
      SIMULATOR_INTERVAL_MS: "100",
      SIMULATOR_FAULTS_PER_HOUR: "0",
      SIMULATOR_URL: server.url,
      ...overrides,
    } as unknown as NodeJS.ProcessEnv,
    "",
  );
}

/** Times of each device, in the order they arrived. */
function timesByDevice(lines: readonly string[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const line of lines) {
    const { device, time } = JSON.parse(line) as { device: string; time: string };
    times.set(device, [...(times.get(device) ?? []), Date.parse(time)]);
  }
  return times;
}

function expectEveryTickInOrder(lines: readonly string[], devices: number, intervalMs: number): void {
  const times = timesByDevice(lines);
  expect(times.size).toBe(devices);
  for (const series of times.values()) {
    expect(series).toEqual(series.map((_, n) => (series[0] as number) + n * intervalMs));
  }
}

describe("the simulator", () => {
  it("sends through the telemetry route, in order, without a gap", async () => {
    const running = await runSimulator(config(), logger);
    await until(() => server.lines().length > 60);
    await running.stop();
    expectEveryTickInOrder(server.lines(), 10, 100);
  });

  it("waits for a server that is down at the start, and loses nothing in an outage of any kind", async () => {
    const port = Number(new URL(server.url).port);
    await server.close();
    const log: string[] = [];
    const running = await runSimulator(
      config(),
      pino({ level: "warn" }, { write: (line: string) => void log.push(line) }),
    );
    await until(() => log.some((line) => line.includes("wait in the outbox")));
    server = await startTelemetryDouble(port);
    await until(() => server.lines().length > 60);
    for (const status of [503, 429, 404]) {
      const before = server.attempts;
      server.misbehave((_, answer) => !!answer.writeHead(status).end());
      await until(() => server.attempts > before);
      server.misbehave(null);
      const settled = server.settled.length;
      await until(() => server.settled.length > settled + 1);
    }
    await running.stop();
    expectEveryTickInOrder(server.lines(), 10, 100);
  });

  it("goes on after a restart: what waited is sent first, and the curves go on", async () => {
    server.misbehave((_, answer) => !!answer.writeHead(503).end());
    const first = await runSimulator(config(), logger);
    await until(() => server.attempts > 2);
    await first.stop();
    expect(server.lines()).toEqual([]);
    server.misbehave(null);
    const second = await runSimulator(config(), logger);
    await until(() => server.lines().length > 40);
    await second.stop();
    for (const series of timesByDevice(server.lines()).values()) {
      expect(series).toEqual([...new Set(series)].sort((a, b) => a - b));
      for (const time of series) expect((time - (series[0] as number)) % 100).toBe(0);
    }
  });

  it("takes rejected messages as delivered", async () => {
    const running = await runSimulator(config({ DEMO_DEVICES: "100", SIMULATOR_FAULTS_PER_HOUR: "3600" }), logger);
    const unreadable = (line: string) => line.includes(":NaN") || !line.endsWith("}");
    const place = await until(() => server.lines().findIndex(unreadable) + 1, { timeoutMs: 60_000 });
    await until(() => server.lines().length > place + 20, { timeoutMs: 60_000 });
    await running.stop();
    expect(server.lines().filter((line) => line === server.lines()[place - 1]).length).toBeLessThanOrEqual(2);
  });

  it("sends the messages of two thousand devices", async () => {
    const running = await runSimulator(
      config({ DEMO_DEVICES: "2000", SIMULATOR_INTERVAL_MS: "1000", SIMULATOR_FAULTS_PER_HOUR: "2" }),
      logger,
    );
    await until(() => server.lines().length > 6000, { timeoutMs: 60_000, everyMs: 100 });
    await running.stop();
  });

  it("does nothing without devices", async () => {
    const running = await runSimulator(config({ DEMO_DEVICES: "0" }), logger);
    await running.stop();
    expect(server.attempts).toBe(0);
  });
});
