import { describe, expect, test } from "vitest";
import type { ProbeResult } from "@/server/contracts/health";
import type { ProbeMessageView, Station } from "@/server/contracts/test-message";
import { checklist, type ChecklistFacts, isComplete, type StepKey } from "./checklist-steps";

const since = "2026-11-24T10:00:00.000Z";
const probe = (name: string, more: Partial<ProbeResult> = {}): ProbeResult => ({
  ...{ name, title: name, group: "PostgreSQL (embedded)", status: "pass", since, checkedAt: since, latencyMs: 2 },
  ...{ summary: "Fine.", cause: null, fix: null, commands: [] },
  ...more,
});
const failing: Partial<ProbeResult> = {
  ...{ status: "fail", cause: "Nothing listens.", fix: "Start it.", commands: ["start it"] },
};
const probes = [
  probe("postgres.reachable"),
  probe("log.iot.telemetry", { title: "Topic iot.telemetry" }),
  probe("postgres.migrations", { summary: "3 migrations applied, none missing." }),
  probe("pipeline.workers", { summary: "1 worker." }),
  probe("live.frames"),
];
const station = (more: Partial<Station>): Station => ({
  ...{ name: "taken", title: "Taken by a worker", state: "done", found: "Here.", tookMs: 1, atMs: 1 },
  ...{ cause: null, fix: null, commands: [] },
  ...more,
});
const followed: ProbeMessageView = {
  ...{
    id: "i",
    device: "d",
    eventTime: since,
    acceptedAt: since,
    trace: null,
    state: "done",
    totalMs: 312,
    stations: [station({})],
  },
};
const engines = {
  eventLog: "PostgreSQL (embedded)",
  documents: "PostgreSQL (embedded)",
  database: "PostgreSQL (embedded)",
};
const all: ChecklistFacts = {
  health: { engines, probes },
  totals: { messages: 1200, deadLetters: 3, devices: 1 },
  attempt: null,
  followed,
  ...{ frame: { ms: 900 }, isConnected: true, maySend: true, firstMessage: "curl …" },
};
const stepOf = (key: StepKey, facts: Partial<ChecklistFacts>) =>
  checklist({ ...all, ...facts }).find((step) => step.key === key)!;
const withProbe = (name: string, more: Partial<ProbeResult>) => ({
  health: { engines, probes: probes.map((one) => (one.name === name ? { ...one, ...more } : one)) },
});

test("when all works, all is done, with what was found", () => {
  const steps = checklist(all);
  expect(isComplete(steps)).toBe(true);
  expect(steps.map(({ found }) => found)).toEqual([
    "Accepted: everything on PostgreSQL (embedded).",
    "PostgreSQL (embedded) answers and lets Fieldwatch in.",
    "iot.telemetry.",
    "3 migrations applied, none missing.",
    "1 worker.",
    "1,200 messages from 1 device.",
    "Stored readings came to this page by themselves.",
    "It came all the way from the route to the live frame.",
  ]);
  expect(steps.at(-1)!.tookMs).toBe(312);
});

test("a fresh start: what is left is to send a message", () => {
  const steps = checklist({ ...all, totals: { messages: 0, deadLetters: 0, devices: 0 }, followed: null, frame: null });
  expect(steps.map(({ state }) => state)).toEqual([
    "done",
    "done",
    "done",
    "done",
    "done",
    "waiting",
    "waiting",
    "waiting",
  ]);
  expect(steps[5]!.commands).toEqual(["curl …"]);
  expect(steps[5]!.fix).toContain("curl …");
});

test.each([
  ["engines", "postgres.reachable"],
  ["topics", "log.iot.telemetry"],
  ["migrations", "postgres.migrations"],
  ["worker", "pipeline.workers"],
] as const)("%s fail with the cause and fix of %s; a warning doesn't hold them up", (key, name) => {
  expect(stepOf(key, withProbe(name, failing))).toMatchObject({
    state: "failing",
    ...{ cause: "Nothing listens.", fix: "Start it.", commands: ["start it"] },
  });
  expect(stepOf(key, withProbe(name, { status: "warn" })).state).toBe("done");
  expect(stepOf(key, withProbe(name, { status: "unknown", summary: "Not asked yet." })).state).toBe("unknown");
});

test("a server that doesn't answer leaves everything unknown, never done", () => {
  const steps = checklist({ ...all, health: null, totals: null, followed: null, isConnected: false });
  expect(new Set(steps.map(({ state }) => state))).toEqual(new Set(["unknown"]));
  expect(steps[0]!.commands).toEqual(["npm start"]);
});

describe("the last three", () => {
  test("only dead letters are no first message", () => {
    const totals = { messages: 3, deadLetters: 3, devices: 0 };
    expect(stepOf("message", { totals })).toMatchObject({ state: "failing" });
  });
  test("a database that is away: how many messages there are isn't known", () => {
    expect(stepOf("message", { totals: null })).toMatchObject({ state: "unknown" });
  });
  test("without a connection no frame can come; a kept one is worth nothing where no message is", () => {
    expect(stepOf("frame", { frame: null, isConnected: false })).toMatchObject({ state: "failing" });
    expect(stepOf("frame", { totals: { messages: 0, deadLetters: 0, devices: 0 } })).toMatchObject({
      state: "waiting",
    });
  });
  test("a test message that hangs says where and why", () => {
    const held = station({
      state: "failing",
      found: "It waits here.",
      cause: "No worker.",
      commands: ["npm run worker"],
    });
    const hanging: ProbeMessageView = { ...followed, state: "failing", totalMs: null, stations: [station({}), held] };
    expect(stepOf("round-trip", { followed: hanging })).toMatchObject({
      ...{ state: "failing", found: "Taken by a worker: it waits here.", cause: "No worker.", tookMs: null },
    });
  });
});
