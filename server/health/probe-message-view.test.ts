import { describe, expect, test } from "vitest";
import type { ProbeResult } from "@/server/contracts/health";
import { probeMessage } from "@/server/contracts/test-message";
import type { ProbeHandled, ProbeSent } from "@/server/domain/probe-message";
import { type ProbeFacts, probeMessageView } from "./probe-message-view";

const start = Date.parse("2026-11-24T10:00:00.000Z");
const sent: ProbeSent = { device: "d", eventTime: start, acceptedAt: start, durableAt: start + 4.25, error: null };
const handled: ProbeHandled = {
  ...{ worker: "box:7:a1", partition: 3, offset: 42, takenAt: start + 60 },
  ends: {
    decode: start + 60.5,
    enrich: start + 62,
    documents: start + 70,
    readings: start + 90,
    published: start + 300,
  },
  ...{ failing: null, refused: false, frameLost: false },
};
const failing = (name: string, cause: string, commands: string[] = []): ProbeResult => ({
  ...{ name, cause, commands, fix: `Mend ${name}.`, status: "fail", summary: "Down.", title: "T", group: "G" },
  ...{ since: "2026-11-24T09:59:00.000Z", checkedAt: null, latencyMs: null },
});
const viewOf = (facts: Partial<ProbeFacts>) => {
  const view = probeMessageView({
    id: "i",
    sent,
    handled,
    traceUrl: undefined,
    probes: [],
    now: start + 1000,
    ...facts,
  });
  expect(probeMessage.parse(view)).toEqual(view);
  return view;
};
const heldAt = (facts: Partial<ProbeFacts>) => viewOf(facts).stations.find(({ state }) => state !== "done");
const without = (...names: (keyof ProbeHandled["ends"])[]) =>
  Object.fromEntries(Object.entries(handled.ends).filter(([name]) => !names.includes(name as never)));

test("the whole way, a station after the other", () => {
  const { state, totalMs, stations } = viewOf({});
  expect({ state, totalMs }).toEqual({ state: "done", totalMs: 300 });
  expect(stations.map(({ name, tookMs }) => [name, tookMs])).toEqual([
    ["accepted", 0],
    ["durable", 4.3],
    ["taken", 55.8],
    ["decode", 0.5],
    ["enrich", 1.5],
    ["documents", 8],
    ["readings", 20],
    ["published", 210],
  ]);
  expect(stations[2]!.found).toBe("By box:7:a1, partition 3, offset 42.");
});

test("a worker whose clock is behind takes nothing before the log had it", () => {
  const early = { ...handled, takenAt: start - 5000, ends: { decode: start - 4999 } };
  expect(
    viewOf({ handled: early })
      .stations.slice(0, 4)
      .map(({ atMs }) => atMs),
  ).toEqual([0, 4.3, 4.3, 4.3]);
});

describe("where it hangs, and why", () => {
  test("the log doesn't take it", () => {
    const refused = { ...sent, durableAt: null, error: "no broker" };
    expect(heldAt({ sent: refused, handled: null })).toMatchObject({
      name: "durable",
      state: "failing",
      cause: "no broker",
    });
    const probes = [failing("postgres.reachable", "PG."), failing("kafka.reachable", "Nothing listens.", ["nc"])];
    expect(heldAt({ sent: refused, handled: null, probes })).toMatchObject({
      cause: "Nothing listens.",
      fix: "Mend kafka.reachable.",
      commands: ["nc"],
    });
  });

  test("no worker takes it: at first it only waits, then a probe tells why", () => {
    expect(heldAt({ handled: null })).toMatchObject({ name: "taken", state: "waiting", cause: null });
    const probes = [failing("pipeline.workers", "No worker is in the group.", ["npm run worker"])];
    const { state, stations } = viewOf({ handled: null, probes });
    expect(state).toBe("failing");
    expect(stations[2]).toMatchObject({ state: "failing", cause: "No worker is in the group." });
    expect(stations.slice(3).every((one) => one.state === "waiting" && one.cause === null)).toBe(true);
  });

  test("without a probe that tells why, a minute is long enough", () => {
    expect(heldAt({ handled: null, now: start + 59_000 })).toMatchObject({ state: "waiting" });
    expect(heldAt({ handled: null, now: start + 61_000 })).toMatchObject({
      state: "failing",
      fix: "Read the worker's log.",
    });
  });

  test("a store refuses it", () => {
    const stuck: ProbeHandled = {
      ...handled,
      ends: without("documents", "readings", "published"),
      failing: { stage: "documents", error: "connection closed" },
    };
    expect(heldAt({ handled: stuck })).toMatchObject({
      name: "documents",
      state: "failing",
      cause: "connection closed",
    });
    const probes = [failing("mongodb.reachable", "Nothing listens on mongo:27017.")];
    expect(heldAt({ handled: stuck, probes })).toMatchObject({ cause: "Nothing listens on mongo:27017." });
  });

  test("what the worker did can't be asked", () => {
    const probes = [failing("postgres.reachable", "Nothing listens on pg:5432.")];
    const held = heldAt({ handled: undefined, probes });
    expect(held).toMatchObject({ name: "taken", state: "unknown", cause: "Nothing listens on pg:5432." });
  });

  test("it became a dead letter: no readings, although its batch was committed", () => {
    expect(heldAt({ handled: { ...handled, refused: true } })).toMatchObject({
      name: "readings",
      state: "failing",
      found: "It became a dead letter.",
    });
  });

  test("the frame was lost", () => {
    const lost = { ...handled, ends: without("published"), frameLost: true };
    expect(heldAt({ handled: lost })).toMatchObject({ name: "published", state: "failing" });
  });
});
