import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterEach, describe, expect, test } from "vitest";
import { describeStartingEngines } from "@/server/testing/engines";
import { until } from "@/server/testing/until";
import { isAlive, treeOf } from "../processes";
import { freePort } from "./ports";

const ROOT = process.cwd();
const SLOW = { timeout: 240_000 };

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

describe("npm run engines on a machine without", () => {
  test("Java says how to install it", async () => {
    const { code, output } = await outcome(engines(["--data", temporary()], { PATH: programs({}) }));
    expect(output).toContain("no Java");
    expectHelp(code, output);
  });

  test("a new enough Java says which it needs", async () => {
    const { code, output } = await outcome(
      engines([], { PATH: programs({ java: `echo 'openjdk version "11.0.2"'` }) }),
    );
    expect(output).toContain("Java 11 is installed; Kafka needs 17 or later");
    expectHelp(code, output);
  });

  test("Maven says how to install it", async () => {
    const java = `echo 'openjdk version "21.0.1"'`;
    const { code, output } = await outcome(
      engines(["--data", temporary()], { PATH: programs({ java }) }, withoutJars()),
    );
    expect(output).toContain("no Maven");
    expectHelp(code, output);
  });

  test("a way to Maven's repository shows what Maven said", async () => {
    const java = `echo 'openjdk version "21.0.1"'`;
    const mvn = `[ "$1" = -v ] || { echo "[ERROR] repository can't be reached"; exit 1; }`;
    const PATH = programs({ java, javac: "exit 0", mvn });
    const { code, output } = await outcome(engines(["--data", temporary()], { PATH }, withoutJars()));
    expect(output).toContain("[ERROR] repository can't be reached");
    expectHelp(code, output);
  });

  function expectHelp(code: number | null, output: string): void {
    expect(code).toBe(1);
    expect(output).toContain("apt-get install -y default-jdk-headless maven");
    expect(output).toContain("docker compose -f docker/compose.yaml up");
    expect(output).not.toMatch(/^\s+at /m);
  }
});

describe("npm run engines", () => {
  test("explains arguments it doesn't know", async () => {
    for (const args of [["redis"], ["--port", "1"], ["--kafka-port", "x"]]) {
      const { code, output } = await outcome(engines([...args, "--data", temporary()]));
      expect(code).toBe(1);
      expect(output).toContain("--kafka-port, --mongodb-port, --postgres-port <port>");
      expect(output).not.toMatch(/^\s+at /m);
    }
  });

  test("prints the variable, keeps the data, and refuses a second one on it", SLOW, async () => {
    const data = temporary();
    const args = ["postgres", "--data", data, "--postgres-port", String(await freePort())];
    const first = await ready(args);
    const [, url] = /^ {4}export (DATABASE_URL=\S+)$/m.exec(first.output()) ?? [];
    expect(url).toMatch(/^DATABASE_URL=postgresql:\/\/fieldwatch:/);

    const second = await outcome(engines(args));
    expect(second.code).toBe(1);
    expect(second.output).toContain("These engines run already");

    first.child.kill("SIGINT");
    expect((await first.done).code).toBe(0);
    const third = await ready(args);
    expect(third.output()).toContain(url);
    third.child.kill("SIGTERM");
    expect((await third.done).code).toBe(0);
  });

  test("ends when an engine ends by itself", SLOW, async () => {
    const data = temporary();
    const { done } = await ready(["postgres", "--data", data]);
    process.kill(pidIn(data, "postgres"), "SIGKILL");
    const { code, output } = await done;
    expect(output).toContain("postgres ended by itself");
    expect(code).toBe(1);
  });
});

describeStartingEngines("no engine outlives the process that started it", () => {
  test("and was killed, even one that was suspended; the next start waits for their end", SLOW, async () => {
    const data = temporary();
    const args = ["mongodb", "postgres", "--data", data];
    const { child, done } = await ready(args);
    const pids = [pidIn(data, "mongodb"), pidIn(data, "postgres")];
    process.kill(pidIn(data, "mongodb"), "SIGSTOP");
    child.kill("SIGKILL");
    await done;
    const again = await ready(args);
    expect(pids.filter(isAlive)).toEqual([]);
    again.child.kill("SIGTERM");
    expect((await again.done).code).toBe(0);
  });
});

test("a killed starter's suspended PostgreSQL goes, and its temporary folder", SLOW, async () => {
  const outfile = path.join(ROOT, "dist", "e2e", "engines", "suspended.mjs");
  const contents = `import { startPostgres } from "./postgres";
    const postgres = await startPostgres();
    await postgres.suspend();
    console.log(JSON.stringify({ pid: postgres.pid, folder: postgres.dataDir }));`;
  await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    tsconfig: path.join(ROOT, "tsconfig.json"),
  });
  const child = spawn(process.execPath, [outfile], { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const heard = listen(child);
  const started = await until(() => /.*\}/.exec(heard.output())?.[0], {
    timeoutMs: 60_000,
    what: "the suspended PostgreSQL",
  });
  const { pid, folder } = JSON.parse(started) as { pid: number; folder: string };
  const processes = treeOf(pid).map((one) => one.pid);
  expect(processes.length).toBeGreaterThan(1);
  child.kill("SIGKILL");
  await until(() => !processes.some(isAlive) && !existsSync(folder), { timeoutMs: 30_000, what: "both to be gone" });
});

/** Starts `npm run engines`, without npm. */
function engines(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = ROOT): ChildProcess {
  const { JAVA_HOME: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [path.join(ROOT, "e2e", "run.mjs"), "engines/run", ...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return child;
}

function listen(child: ChildProcess): { output(): string; done: Promise<{ code: number | null; output: string }> } {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += String(chunk)));
  const done = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { output: () => output, done: done.then((code) => ({ code, output })) };
}

function outcome(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  return listen(child).done;
}

async function ready(args: readonly string[]): Promise<{ child: ChildProcess } & ReturnType<typeof listen>> {
  const child = engines(args);
  const heard = listen(child);
  await until(
    () => {
      if (child.exitCode !== null) return "ended";
      return heard.output().includes("Ctrl-C stops the engines");
    },
    { timeoutMs: 120_000, what: "the engines to be ready" },
  );
  if (child.exitCode !== null) throw new Error(heard.output());
  return { child, ...heard };
}

function pidIn(data: string, name: string): number {
  return (JSON.parse(readFileSync(path.join(data, name, "engine.json"), "utf8")) as { pid: number }).pid;
}

function temporary(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-run-"));
  folders.push(folder);
  return folder;
}

/** A PATH with the system's few and the given programs, each a line of shell. */
function programs(given: Readonly<Record<string, string>>): string {
  const folder = temporary();
  symlinkSync(process.execPath, path.join(folder, "node"));
  for (const [name, line] of Object.entries(given))
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return folder;
}

/** A folder with the list of jars, and no jars. */
function withoutJars(): string {
  const folder = temporary();
  mkdirSync(path.join(folder, "e2e", "engines"), { recursive: true });
  for (const file of ["pom.xml", "MongoServerLauncher.java"])
    cpSync(path.join(ROOT, "e2e", "engines", file), path.join(folder, "e2e", "engines", file));
  return folder;
}
