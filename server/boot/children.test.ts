import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { afterAll, expect, test, vi } from "vitest";
import { isAlive } from "@/server/postgres/embedded/processes";
import { until } from "@/server/testing/until";
import { Explained, startChild } from "./children";
import { EXIT_EXPLAINED } from "./explain";

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-children-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const logger = pino({ level: "silent" });

/** A stand-in for dist/main.mjs: notes its process id a line, then does what `body` says. */
function program(name: string, body: string) {
  const file = path.join(folder, `${name}.mjs`);
  const starts = path.join(folder, `${name}.starts`);
  writeFileSync(starts, "");
  writeFileSync(
    file,
    `import fs from "node:fs"; fs.appendFileSync(${JSON.stringify(starts)}, process.pid + "\\n");\n${body}`,
  );
  const pids = () => readFileSync(starts, "utf8").split("\n").filter(Boolean).map(Number);
  return { file, pids };
}

const WELL_BEHAVED = `process.on("message", (m) => m === "stop" && process.exit(0)); process.send("ready");`;

test("a role that is killed is started again, and stops when asked", async () => {
  const { file, pids } = program("good", WELL_BEHAVED);
  const child = startChild({ role: "web", program: file, logger, onFailure: (error) => expect.fail(String(error)) });
  await child.ready;
  for (let kills = 1; kills <= 6; kills++) {
    process.kill(pids().at(-1)!, "SIGKILL");
    await until(() => pids().length === kills + 1, { timeoutMs: 20_000 });
  }
  await child.stop(5000);
  expect(pids().map(isAlive)).toEqual(Array.from({ length: 7 }, () => false));
});

test("one that doesn't stop in time is killed", async () => {
  const { file, pids } = program("deaf", `process.on("message", () => {}); process.send("ready");`);
  const child = startChild({ role: "worker", program: file, logger, onFailure: (error) => expect.fail(String(error)) });
  await child.ready;
  await child.stop(300);
  expect(pids().map(isAlive)).toEqual([false]);
});

test("one that keeps ending is given up", async () => {
  const { file, pids } = program("loop", `process.send("ready", () => process.exit(3));`);
  const failures: unknown[] = [];
  const child = startChild({ role: "worker", program: file, logger, onFailure: (error) => failures.push(error) });
  await child.ready;
  await until(() => failures.length === 1, { timeoutMs: 50_000 });
  expect(String(failures[0])).toContain("The worker process keeps ending");
  expect(pids()).toHaveLength(5);
});

test("one that can't start says so once", async () => {
  const told = program("told", `process.exit(${EXIT_EXPLAINED});`);
  const options = { role: "web", logger, onFailure: (error: unknown) => expect.fail(String(error)) };
  await expect(startChild({ ...options, program: told.file }).ready).rejects.toBeInstanceOf(Explained);
  const broken = program("broken", `process.exit(1);`);
  await expect(startChild({ ...options, program: broken.file }).ready).rejects.toThrow("The web process doesn't start");
});
