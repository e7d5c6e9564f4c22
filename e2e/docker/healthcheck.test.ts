import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { until } from "@/server/testing/until";
import { ROOT } from "./compose-file";

// The image's health check as it is, on processes that stand for a role: they turn an event loop and, for web, answer.
const PROGRAM = `
  import { createServer } from "node:http";
  const [, , role] = process.argv;
  if (role === "web") {
    const server = createServer(({ url }, answer) => answer.writeHead(url === "/api/livez" ? 200 : 503).end("no log"));
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  } else {
    setInterval(() => {}, 1000);
    console.log(0);
  }
`;
const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((step) => step()));

test("a role without a port is well while its event loop turns", async () => {
  const { env, heartbeat, role } = await start("worker");
  expect(await check(env)).toEqual({ code: 0, said: "worker is well" });
  role.kill("SIGSTOP");
  // The file is set back 20 seconds, as if the process had stood still; again, if one more beat came in between.
  const stopped = await until(async () => {
    const then = new Date(Date.now() - 20_000);
    utimesSync(heartbeat, then, then);
    const result = await check(env);
    return result.code === 1 ? result : undefined;
  });
  expect(stopped.said).toMatch(/^unhealthy: the event loop has stood still for 2\d s$/);
  role.kill("SIGCONT");
  await until(() => statSync(heartbeat).mtimeMs > Date.now() - 5000, { what: "the heartbeat goes on" });
  expect(await check(env)).toMatchObject({ code: 0 });
});

test("web is well while it answers, and ready when that path says so", async () => {
  const { env, role } = await start("web");
  expect(await check(env)).toEqual({ code: 0, said: "web is well" });
  expect(await check(env, "/api/readyz")).toEqual({ code: 1, said: "unhealthy: /api/readyz answers 503: no log" });
  role.kill("SIGKILL");
  await until(() => role.exitCode !== null || role.signalCode !== null);
  expect(await check(env)).toMatchObject({ code: 1, said: expect.stringContaining("ECONNREFUSED") as string });
});

test("without a heartbeat it is not well", async () => {
  expect(await check({ TMPDIR: folder() })).toMatchObject({
    code: 1,
    said: expect.stringContaining("ENOENT") as string,
  });
});

test("a folder that can't be written to keeps no role from running", async () => {
  const { env } = await start("worker", path.join(folder(), "missing"));
  expect(await check(env)).toMatchObject({ code: 1 });
});

/** Starts the program as the image does, and resolves when it runs. */
async function start(name: string, temporary = folder()) {
  const program = path.join(folder(), "main.mjs");
  writeFileSync(program, PROGRAM);
  const env = { ...process.env, TMPDIR: temporary, HOST: "0.0.0.0" };
  const role: ChildProcess = spawn(
    process.execPath,
    ["--import", path.join(ROOT, "docker/heartbeat.mjs"), program, name],
    { env, stdio: ["ignore", "pipe", "ignore"] },
  );
  undo.push(() => role.kill("SIGKILL"));
  let said = "";
  role.stdout!.on("data", (part: Buffer) => (said += part.toString()));
  const port = await until(() => /^\d+\n/.exec(said)?.[0].trim(), { what: "the program runs" });
  return { role, env: { ...env, PORT: port }, heartbeat: path.join(temporary, "fieldwatch-heartbeat") };
}

function check(env: NodeJS.Dict<string>, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const script = path.join(ROOT, "docker/healthcheck.mjs");
    const done = (error: Error | null, out: string, err: string) =>
      resolve({ code: error === null ? 0 : Number((error as { code?: unknown }).code), said: (out + err).trim() });
    execFile(process.execPath, [script, ...args], { env: { ...process.env, ...env } }, done);
  });
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), "fieldwatch-health-"));
  undo.push(() => rmSync(made, { recursive: true }));
  return made;
}
