import { expect, test } from "vitest";
import type { ProbeResult, ProbeStatus } from "@/server/contracts/health";
import type { LogBreakKind } from "@/server/domain/pipeline-state";
import { judgeBreaks, judgeDeadLetters, judgeLag, judgeWorkers } from "./event-log";
import { judgeDisk, judgeMemory } from "./machine";
import { verdict, verdictParts } from "./verdict";

const since = "2026-11-23T14:02:09.000Z";
const probe = (name: string, status: ProbeStatus, more: Partial<ProbeResult> = {}): ProbeResult => ({
  ...{
    name,
    status,
    since,
    title: "Title",
    group: "Group",
    checkedAt: since,
    latencyMs: 1,
    cause: null,
    fix: null,
    commands: [],
  },
  summary: "Found this.",
  ...more,
});
const numbers = { lagSeconds: 0.34, devices: { live: 50, stale: 0, silent: 2, new: 0 } };

test("all good, in numbers", () => {
  expect(verdict([probe("postgres.reachable", "pass")], numbers)).toBe(
    "All good: 50 devices live, 2 silent, nothing waits.",
  );
  const none = { live: 0, stale: 0, silent: 0, new: 0 };
  expect(verdict([probe("postgres.reachable", "pass")], { lagSeconds: 0, devices: none })).toBe(
    "Ready for the first reading: no device has reported yet, nothing waits.",
  );
  expect(verdict([probe("a", "unknown"), probe("b", "pass")], numbers)).toBe(
    "Nothing is known to be wrong; 1 of 2 probes has no answer yet.",
  );
});

test("the cause comes before what follows from it, and says what it means for the data", () => {
  const failing = [
    probe("documents.archive", "fail"),
    probe("pipeline.workers", "fail"),
    probe("postgres.reachable", "fail", { summary: "PostgreSQL does not answer." }),
    probe("machine.disk", "warn"),
  ];
  expect(verdict(failing, null)).toBe(
    "PostgreSQL is down since 2026-11-23 14:02 UTC: readings can't be taken; devices that keep an outbox lose nothing.",
  );
  expect(verdict(failing.slice(1, 2), numbers)).toBe(
    "No worker is alive since 2026-11-23 14:02 UTC: messages are taken and wait in the event log; nothing is lost.",
  );
  // It may be stopped by a batch that nobody can read, so nothing more is promised.
  expect(verdict([probe("pipeline.progress", "fail", { group: "Pipeline" })], numbers)).toMatch(
    /: what waits there is kept in the event log until its retention ends\.$/,
  );
  expect(verdict(failing.slice(3), numbers)).toMatch(
    /^Group, Title: Found this since .*: messages can't be taken once it is full\.$/,
  );
});

test("in parts, for those who write times in a zone of their own", () => {
  const later = "2026-11-23T15:00:00.000Z";
  expect(verdictParts([probe("a", "pass"), probe("b", "pass", { since: later })], numbers)).toEqual({
    what: "All good",
    since: later,
    means: "50 devices live, 2 silent, nothing waits",
  });
  expect(verdictParts([probe("pipeline.workers", "fail")], numbers)).toEqual({
    what: "No worker is alive",
    since,
    means: "messages are taken and wait in the event log; nothing is lost",
  });
  expect(verdictParts([probe("a", "unknown")], null).since).toBeNull();
  const doors = probe("sources.doors", "warn", { group: "Sources", summary: "Nothing comes in by line-4." });
  expect(verdictParts([doors], numbers)).toMatchObject({
    what: "Nothing comes in by line-4",
    means: "what was taken is stored",
  });
});

test("what counts as trouble", () => {
  expect(judgeWorkers({ workers: 0 })).toMatchObject({ status: "fail", fix: "`npm run worker`" });
  expect(judgeWorkers({ workers: null }).status).toBe("unknown");
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: 30, clearSeconds: 5 }).status).toBe("pass");
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: 31, clearSeconds: 5 }).status).toBe("warn");
  // Where it doesn't get less a worker hangs, which shows sooner.
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: 11, clearSeconds: null }).status).toBe("warn");
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: 10, clearSeconds: null }).status).toBe("pass");
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: 301, clearSeconds: 5 }).status).toBe("fail");
  const holding = (held: number) => ({
    ...{
      topic: "t",
      partition: 0,
      start: 0,
      end: 9,
      committed: 0,
      lag: held,
      held,
      lagSeconds: 31,
      clearSeconds: null,
    },
    ...{ owner: null, lastBreak: null, unreadable: null, waiting: null },
  });
  expect(judgeLag({ partitions: [holding(4)], lag: 5, lagSeconds: 31, clearSeconds: 5 })).toMatchObject({
    cause: expect.stringContaining("More comes in"),
  });
  expect(judgeLag({ partitions: [holding(4), holding(1)], lag: 5, lagSeconds: 31, clearSeconds: 5 })).toMatchObject({
    status: "warn",
    cause: expect.stringContaining("transaction"),
  });
  expect(judgeLag({ partitions: [], lag: null, lagSeconds: null, clearSeconds: null }).status).toBe("unknown");
  expect(judgeLag({ partitions: [], lag: 5, lagSeconds: null, clearSeconds: null })).toMatchObject({
    status: "unknown",
    summary: "5 messages wait, since when is not known yet.",
  });
  const bucket = {
    time: 0,
    messages: 100,
    readings: 0,
    duplicates: 0,
    conflicts: 0,
    latencyP50Ms: null,
    latencyP99Ms: null,
  };
  const judged = (messages: number, deadLetters: number, time = 0) =>
    judgeDeadLetters({ time, history: [{ ...bucket, messages, deadLetters }] });
  expect([judged(1000, 10).status, judged(1000, 11).status, judged(1000, 11, 400_000).status]).toEqual([
    "pass",
    "warn",
    "pass",
  ]);
  expect(judged(2, 1)).toEqual({ status: "pass", summary: "1 dead letter of 2 messages in 5 minutes." });
  expect([20, 9, 1].map((free) => judgeDisk(free, 100, { of: "/data", whenFull: "w", fix: "f" }).status)).toEqual([
    "pass",
    "warn",
    "fail",
  ]);
  const memory = { free: 50, total: 100, used: 10, limit: 100, rss: 1 };
  expect(
    [memory, { ...memory, used: 90 }, { ...memory, used: 96 }, { ...memory, free: 1 }].map(
      (each) => judgeMemory(each).status,
    ),
  ).toEqual(["pass", "warn", "fail", "warn"]);
});

test("what the log lost is told for a day, with its cause; a topic created anew is no trouble", () => {
  const time = Date.UTC(2026, 0, 15, 12);
  const at = (...breaks: (LogBreakKind | null)[]) =>
    judgeBreaks({
      time,
      partitions: breaks.map((kind, partition) => ({
        ...{ topic: "t", partition, start: 0, end: 0, committed: 0, lag: 0, held: 0, lagSeconds: 0, clearSeconds: 0 },
        ...{
          owner: null,
          unreadable: null,
          waiting: null,
          lastBreak: kind && { kind, time: time - 3_600_000, offsets: kind === "recreated" ? null : 20 },
        },
      })),
    });
  expect(at(null, null).status).toBe("pass");
  expect(at(null, "recreated")).toMatchObject({ status: "pass", summary: expect.stringContaining("anew") });
  expect(at(null, "lostTail")).toMatchObject({
    status: "warn",
    summary: expect.stringMatching(/^Partition 1 lost messages .*20 offsets.*2026-01-15 11:00/),
  });
  expect(at("expired", null)).toMatchObject({ status: "warn", cause: expect.stringContaining("retention") });
  expect(judgeBreaks({ time, partitions: [] }).status).toBe("unknown");
});
