import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ProgressLock, takeLock } from "./progress-lock";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-lock-"));
  file = path.join(folder, "replay", "x.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function take(): ProgressLock {
  const lock = takeLock(file);
  if (!("isHeld" in lock)) throw new Error(`taken by ${lock.pid}`);
  return lock;
}

test("is one owner's until it is released", () => {
  const lock = take();
  expect(takeLock(file)).toMatchObject({ pid: process.pid, host: hostname() });
  expect(lock.isHeld()).toBe(true);
  lock.release();
  take().release();
});

test("is taken over from a process that is gone, and from a file that was half written", () => {
  take().release();
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(file, JSON.stringify({ token: "t", pid: gone, host: hostname() }));
  take().release();
  writeFileSync(file, '{"tok');
  take().release();
});

test("is taken over from an owner elsewhere only when it shows no sign of life, who then knows", () => {
  take().release();
  writeFileSync(file, JSON.stringify({ token: "t", pid: 1, host: "elsewhere" }));
  expect(takeLock(file)).toMatchObject({ host: "elsewhere" });
  const early = new Date(Date.now() - 60_000);
  utimesSync(file, early, early);
  const stopped = take();
  utimesSync(file, early, early);
  const second = take();
  expect([stopped.isHeld(), second.isHeld()]).toEqual([false, true]);
  stopped.release();
  expect(readFileSync(file, "utf8")).toContain(hostname());
  second.release();
});
