import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setupAnswer } from "@/server/contracts/setup";
import {
  dataFolderBeforehand,
  noteFailure,
  openAttempt,
  setupAttemptsFile,
} from "@/server/observability/setup-attempts.mjs";
import { readSetup, setupAttempts } from "./setup-attempts";

let dataDir: string;
let clock: number;
const now = () => clock;
beforeEach(() => {
  dataDir = path.join(mkdtempSync(path.join(tmpdir(), "setup-attempts-")), "data");
  clock = Date.parse("2026-11-24T10:00:00.000Z");
});
afterEach(() => rmSync(path.dirname(dataDir), { recursive: true }));

const read = (isRunning = false) => setupAttempts(readFileSync(setupAttemptsFile(dataDir), "utf8"), () => isRunning);

describe("what a start writes is what is read", () => {
  test("steps with their durations, those side by side too", async () => {
    const attempt = openAttempt(dataDir, { now });
    attempt.begin("PostgreSQL");
    clock += 1500;
    attempt.done("PostgreSQL");
    attempt.begin("web");
    attempt.begin("worker");
    clock += 200;
    attempt.done("worker");
    clock += 300;
    attempt.done("web");
    attempt.ready();
    const answer = await readSetup(dataDir);
    expect(setupAnswer.parse(answer)).toEqual(answer);
    expect(answer.attempts).toMatchObject([{ outcome: "done", durationMs: 2000, cause: null }]);
    expect(answer.attempts[0]!.steps.map(({ name, durationMs, outcome }) => [name, durationMs, outcome])).toEqual([
      ["PostgreSQL", 1500, "done"],
      ["web", 500, "done"],
      ["worker", 200, "done"],
    ]);
    expect(statSync(setupAttemptsFile(dataDir)).mode & 0o077).toBe(0);
  });

  test("a failure with its cause and its fix, where it happened first", () => {
    const attempt = openAttempt(dataDir, { now });
    attempt.begin("web");
    attempt.begin("worker");
    noteFailure(dataDir, "web", {
      what: "Port 3000 is taken",
      cause: "Another program.",
      fix: "`PORT=3001 npm start`",
    });
    attempt.failed("web", { cause: "web has said why it can't run", fix: "The log." });
    attempt.gaveUp({ cause: "web has said why it can't run", fix: "The log." });
    expect(read()).toMatchObject([
      {
        outcome: "failed",
        what: "Port 3000 is taken",
        cause: "Another program.",
        fix: "PORT=3001 npm start",
        commands: ["PORT=3001 npm start"],
        steps: [
          { name: "web", outcome: "failed", cause: "Another program." },
          { name: "worker", outcome: "stopped" },
        ],
      },
    ]);
  });

  test("a step that went on without, and a start its user stopped", () => {
    const first = openAttempt(dataDir, { now });
    first.begin("topics");
    first.warned("topics", { cause: "Nothing listens on kafka:9092.", fix: "Start Kafka." });
    first.done("topics");
    first.ready();
    const second = openAttempt(dataDir, { now });
    second.begin("PostgreSQL");
    second.stopped();
    second.done("PostgreSQL");
    expect(read()).toMatchObject([
      { outcome: "stopped", steps: [{ outcome: "stopped" }] },
      { outcome: "warned", steps: [{ outcome: "warned", cause: "Nothing listens on kafka:9092." }] },
    ]);
  });

  test("the installation and the start after it are one attempt; another start is another", () => {
    const installation = openAttempt(dataDir, { now });
    installation.begin("install");
    clock += 30_000;
    installation.done("install");
    installation.installed();
    clock += 500;
    const start = openAttempt(dataDir, { continues: true, now });
    start.begin("configuration");
    start.done("configuration");
    start.ready();
    expect(read()).toMatchObject([{ durationMs: 30_500, steps: [{ name: "install" }, { name: "configuration" }] }]);
    openAttempt(dataDir, { continues: true, now }).ready();
    expect(read()).toHaveLength(2);
  });
});

describe("a start that was killed", () => {
  test("is broken off, its last half line passed over; under way while its process lives", () => {
    const attempt = openAttempt(dataDir, { now });
    attempt.begin("build");
    appendFileSync(setupAttemptsFile(dataDir), '{"attempt":"x","at":17');
    expect(read()).toMatchObject([{ outcome: "brokenOff", durationMs: null, steps: [{ outcome: "brokenOff" }] }]);
    expect(read(true)).toMatchObject([{ outcome: "running", steps: [{ name: "build", outcome: "running" }] }]);
    openAttempt(dataDir, { now }).ready();
    expect(read(true)).toMatchObject([{ outcome: "done" }, { outcome: "brokenOff" }]);
  });

  test.each(["", "\n", "null\n[]\n7\n", '{"attempt":"a"}\n', '{"attempt":"a","at":1e99,"event":"begin"}\n', "\u0000"])(
    "lines that tell nothing are passed over: %j",
    (text) => expect(setupAttempts(text, () => false)).toEqual([]),
  );
});

test("nothing is read where nothing was written", async () => {
  expect(await readSetup(path.join(dataDir, "nowhere"))).toEqual({ attempts: [] });
});

test("only the latest are kept and shown", () => {
  for (let i = 0; i < 120; i++) {
    const attempt = openAttempt(dataDir, { now });
    attempt.gaveUp({ what: String(i), cause: "c".repeat(5000), fix: null });
  }
  expect(read().map(({ what }) => what)).toEqual(Array.from({ length: 50 }, (_, i) => String(119 - i)));
  expect(statSync(setupAttemptsFile(dataDir)).size).toBeLessThan(400_000);
});

test("a start goes on where nothing can be written", () => {
  writeFileSync(dataDir, "a file where the folder should be");
  for (const folder of [dataDir, path.join(dataDir, "below"), "/proc/fieldwatch/data"]) {
    const attempt = openAttempt(folder);
    attempt.begin("build");
    attempt.failed("build", { cause: "c", fix: null });
    attempt.ready();
    noteFailure(folder, "web", { cause: "c", fix: null });
    expect(existsSync(setupAttemptsFile(folder))).toBe(false);
  }
});

test("the data folder is found as the configuration finds it", () => {
  expect(dataFolderBeforehand({ FIELDWATCH_DATA_DIR: "/data" })).toBe("/data");
  expect(dataFolderBeforehand({ FIELDWATCH_DATA_DIR: "" })).toBe(path.resolve(".fieldwatch"));
});
