import { describe, expect, test } from "vitest";
import type { HealthAnswer, ProbeStatus } from "@/server/contracts/health";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { StagesStretch } from "@/server/contracts/stages";
import { flowOf, type Sources, type Station } from "./stations";

const AT = "2026-11-24T12:00:00.000Z";
const pipeline: PipelineAnswer = {
  time: AT,
  totals: {
    messages: 9,
    readings: 9,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 0,
    late: 0,
    skipped: 0,
    rejected: 0,
    devices: 3,
  },
  rates: { messagesPerSecond: 20, readingsPerSecond: 60, latencyP50Ms: 1, latencyP99Ms: 2 },
  ...{ lag: 2, lagSeconds: 0.5, clearSeconds: 0.1, incomingPerSecond: 21, workers: 1, partitions: [] },
  devices: { live: 2, stale: 1, silent: 0, new: 0 },
  skippedBatches: [],
  history: [],
};
const figures = { runs: 60, messages: 1200, bytes: 120_000, p50Ms: 1, p99Ms: 3, maxMs: 4, messageMs: 1 };
const minute: StagesStretch = {
  ...{ time: 0, ms: 60_000, accepted: 1200, rejected: {}, requests: {}, messages: 1200, readings: 3600 },
  ...{
    duplicates: 0,
    conflicts: 0,
    late: 0,
    deadLetters: {},
    total: null,
    stages: { readings: figures, publish: figures },
  },
};
const stages = { recent: minute, minute };
const probe = (name: string, status: ProbeStatus, summary = "") => ({
  ...{
    name,
    title: name,
    group: "",
    status,
    since: AT,
    checkedAt: AT,
    latencyMs: 1,
    summary,
    cause: null,
    fix: "do",
    commands: [],
  },
});
const health = (...probes: HealthAnswer["probes"]): HealthAnswer => ({
  ...{ status: "pass", verdict: "", time: AT, version: "1", leftOut: null, probes, jobs: [] },
  parts: { what: "", since: AT, means: "" },
  engines: { eventLog: "Kafka", documents: "PostgreSQL (embedded)", database: "PostgreSQL (embedded)" },
});
const stations = (sources: Partial<Sources> = {}): Record<string, Station> => {
  const { before, inside, after } = flowOf({ pipeline, stages, health: health(), ...sources });
  return Object.fromEntries([...before, ...inside, ...after].map((station) => [station.key, station]));
};

test("each station has its rate, in order from the sender to the browser", () => {
  const all = stations();
  expect(Object.values(all).map(({ key, value, unit }) => [key, value, unit])).toEqual([
    ["senders", 2, "devices live"],
    ["route", 20, "msg/s"],
    ["log", 21, "msg/s"],
    ["decode", 20, "msg/s"],
    ["enrich", 20, "msg/s"],
    ["documents", 20, "msg/s"],
    ["readings", 60, "readings/s"],
    ["publish", 1, "frames/s"],
    ["browsers", null, "connected"],
  ]);
  expect(all["log"]!.engine).toEqual({ name: "Kafka", isEmbedded: false });
  expect(all["documents"]!.engine).toEqual({ name: "PostgreSQL", isEmbedded: true });
  expect(flowOf({ pipeline, stages, health: health() }).worker.notes).toEqual([
    "1 alive",
    "1 batches/s",
    "20 messages (1.95 KiB) a batch",
  ]);
});

describe("states", () => {
  test("are those of the probes of the engine behind the station, the worst of them", () => {
    const all = stations({
      health: health(
        probe("kafka.reachable", "fail"),
        probe("kafka.disk", "pass"),
        probe("live.frames", "pass", "3 browsers are connected."),
      ),
    });
    expect([all["log"]!.mark, all["documents"]!.mark, all["browsers"]!.value]).toEqual(["failing", "unknown", 3]);
  });

  test("what isn't known is unknown, never zero", () => {
    const all = stations({
      health: undefined,
      stages: undefined,
      pipeline: { ...pipeline, lag: null, incomingPerSecond: null },
    });
    expect(all["route"]).toMatchObject({ value: null, mark: "unknown" });
    expect(all["log"]).toMatchObject({ value: null, notes: ["what waits is unknown"], engine: null });
    expect(all["publish"]!.value).toBeNull();
  });

  test("without a worker its stages are idle, and what to do is said", () => {
    const without = {
      pipeline: { ...pipeline, workers: 0 },
      health: health(probe("pipeline.workers", "fail", "No worker is alive.")),
    };
    expect(stations(without)["decode"]).toMatchObject({ mark: "unknown", word: "Idle", value: 0, isFlowing: false });
    expect(flowOf({ stages, ...without }).worker).toMatchObject({
      mark: "failing",
      trouble: { summary: "No worker is alive.", fix: "do", isCommand: false },
    });
  });

  test("a route that turns requests away for reasons of its own says so; bad requests are the senders'", () => {
    const route = (requests: Record<string, number>) =>
      stations({ stages: { ...stages, minute: { ...minute, requests } } })["route"]!;
    expect(route({ "unreadable-body": 3 })).toMatchObject({ mark: "ok" });
    expect(route({ "too-busy": 3 })).toMatchObject({ mark: "warning", notes: ["none refused", "3 requests refused"] });
  });
});
