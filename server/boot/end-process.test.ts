import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { transform } from "esbuild";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

/** Runs a process that has work left and makes this call in it; resolves with its exit code, null when it had to be killed. */
async function exitOf(call: string): Promise<number | null> {
  const source = await readFile(path.join(import.meta.dirname, "end-process.ts"), "utf8");
  const { code } = await transform(source, { loader: "ts" });
  const program = `${code}\nsetInterval(() => undefined, 1000);\n${call}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: "ignore",
    timeout: 15_000,
  });
  const [exitCode] = (await once(child, "exit")) as [number | null];
  return exitCode;
}

const LONG_MS = 3_600_000;

test("a process whose stop hangs ends when its time is over, with its exit code", async () => {
  expect(await exitOf("endProcess(() => new Promise(() => undefined), 75, 50);")).toBe(75);
});

test("a process whose stop resolves or fails ends at once, with its exit code", async () => {
  expect(await exitOf(`endProcess(async () => undefined, 75, ${LONG_MS});`)).toBe(75);
  expect(await exitOf(`endProcess(() => Promise.reject(new Error("no")), 75, ${LONG_MS});`)).toBe(75);
});
