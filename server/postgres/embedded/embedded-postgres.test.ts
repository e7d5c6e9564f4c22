import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { afterAll, expect, test, vi } from "vitest";
import { withClient } from "@/server/postgres/migrate";
import { until } from "@/server/testing/until";
import { locateBinaries } from "./binaries";
import { startEmbeddedPostgres } from "./embedded-postgres";
import { freePort } from "./postmaster";
import { chooseLaunch } from "./privileges";
import { takeOwnership } from "./owner";
import { isAlive } from "./processes";
import { readState } from "./state";

// Making a server waits for the disk, which others may keep busy.
vi.setConfig({ testTimeout: 120_000 });

const logger = pino({ level: "silent" });
const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-embedded-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function query(connectionString: string, sql: string): Promise<unknown[]> {
  return withClient(connectionString, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);
}

/** Does one thing, and then reads one line, on one connection. */
function pick(connectionString: string, before: string, sql: string): Promise<string> {
  return withClient(connectionString, async (client) => {
    await client.query(before);
    return (await client.query<{ line: string }>(sql)).rows[0]!.line;
  });
}

test("data survives a clean stop and a kill -9, on the same address; nobody else gets the folder", async () => {
  const dataDir = path.join(root, "one");
  const first = await startEmbeddedPostgres({ dataDir, logger });
  expect(first.created).toBe(true);
  expect(readState(dataDir)).toMatchObject({ connectionString: first.connectionString, pid: first.pid() });
  expect(statSync(path.join(dataDir, "postgres.json")).mode & 0o077).toBe(0);
  await query(first.ownerConnectionString, "CREATE TABLE kept AS SELECT 1 AS n; GRANT ALL ON kept TO fieldwatch_app");
  await expect(startEmbeddedPostgres({ dataDir, logger })).rejects.toThrow(
    "Another Fieldwatch is running on this data folder",
  );
  await first.stop();
  expect(readState(dataDir)).toBeUndefined();

  const second = await startEmbeddedPostgres({ dataDir, logger });
  expect(second.created).toBe(false);
  await query(second.connectionString, "INSERT INTO kept VALUES (2)");
  const killed = second.pid()!;
  process.kill(killed, "SIGKILL");
  await until(async () => second.pid() !== killed && (await query(second.connectionString, "SELECT 1")), {
    timeoutMs: 30_000,
  });
  expect(await query(second.connectionString, "SELECT n FROM kept ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }]);
  expect(await query(second.connectionString, "SHOW fsync")).toEqual([{ fsync: "on" }]);

  // A plain kill lets connections end in their own time; one that never ends must not keep it from coming back.
  const lasting = new pg.Client({ connectionString: second.connectionString });
  lasting.on("error", () => {});
  await lasting.connect();
  const asked = second.pid()!;
  process.kill(asked, "SIGTERM");
  await until(async () => second.pid() !== asked && (await query(second.connectionString, "SELECT 1")), {
    timeoutMs: 30_000,
  });
  await second.stop();
  await second.stop();
});

test("the server's log tells what failed, without the values it failed on", async () => {
  const dataDir = path.join(root, "log");
  const embedded = await startEmbeddedPostgres({ dataDir, logger });
  await query(embedded.ownerConnectionString, "CREATE TABLE person AS SELECT 'ada@' || 'example.com' AS email");
  const twice = "INSERT INTO person SELECT email FROM person; CREATE UNIQUE INDEX one_each ON person (email)";
  await expect(query(embedded.ownerConnectionString, twice)).rejects.toMatchObject({
    detail: expect.stringContaining("ada@example.com"),
  });
  await embedded.stop();
  const log = readFileSync(path.join(dataDir, "postgres.log"), "utf8");
  expect(log).toContain("one_each");
  expect(log).not.toContain("ada@example.com");
});

test("a wrong password, and a stranger's folder, are refused", async () => {
  const dataDir = path.join(root, "two");
  const embedded = await startEmbeddedPostgres({ dataDir, logger });
  const url = new URL(embedded.connectionString);
  url.password = "guess";
  await expect(query(url.href, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  await embedded.stop();

  const file = path.join(root, "file");
  writeFileSync(file, "");
  await expect(startEmbeddedPostgres({ dataDir: file, logger })).rejects.toThrow("The data folder can't be made");
  await expect(startEmbeddedPostgres({ dataDir: path.join(file, "below"), logger })).rejects.toThrow("can't be made");
  if (process.platform === "linux") {
    await expect(startEmbeddedPostgres({ dataDir: "/proc/fieldwatch/data", logger })).rejects.toThrow("can't be made");
  }
});

test("an owner that died, even as a zombie or with its id taken by another process, doesn't block the folder", async () => {
  const file = path.join(root, "owner.json");
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  for (const owner of [
    JSON.stringify({ pid: child.pid }),
    JSON.stringify({ pid: process.ppid, started: "1" }),
    "{cut",
  ]) {
    writeFileSync(file, owner);
    const release = takeOwnership(root);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ pid: process.pid });
    release();
  }
});

test.runIf(process.platform === "linux")(
  "when its owner is killed, the server goes too, and the next start works",
  async () => {
    const dataDir = path.join(root, "three");
    const prepared = await startEmbeddedPostgres({ dataDir, logger });
    const old = prepared.pid()!;
    await prepared.stop();
    expect(isAlive(old)).toBe(false);
    // A process that started a server, and is killed.
    const binaries = locateBinaries();
    const launch = chooseLaunch(binaries.postgres, dataDir);
    const port = String(await freePort());
    const args = ["-D", path.join(dataDir, "postgres"), "-p", port, "-c", "unix_socket_directories="];
    const [command, ...rest] = [...launch.prefix, binaries.postgres, ...args];
    const owner = spawn(process.execPath, [
      "-e",
      `require("node:child_process").spawn(${JSON.stringify(command)}, ${JSON.stringify(rest)}, { stdio: "ignore", detached: true });
     setInterval(() => {}, 1000)`,
    ]);
    const file = path.join(dataDir, "postgres", "postmaster.pid");
    const pid = await until(() => Number(readFileSync(file, "utf8").split("\n")[0]));
    owner.kill("SIGKILL");
    if (launch.diesWithParent) await until(() => !isAlive(pid));
    const next = await startEmbeddedPostgres({ dataDir, logger });
    expect(await query(next.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await next.stop();
  },
);

test.runIf(process.platform === "linux")(
  "the server has none of our variables and, started by root, none of root's rights",
  async () => {
    const dataDir = path.join(mkdtempSync(path.join(tmpdir(), "fieldwatch-bare-")), "data");
    chmodSync(path.dirname(dataDir), 0o755);
    const names = ["FIELDWATCH_KEY", "KAFKA_SASL_PASSWORD", "MONGODB_URI", "DATABASE_URL", "ANYTHING_ELSE"];
    for (const name of names) vi.stubEnv(name, "SECRET_MARK");
    const embedded = await startEmbeddedPostgres({ dataDir, logger });
    vi.unstubAllEnvs();
    await query(embedded.connectionString, "SELECT 1");
    const proc = (file: string) => readFileSync(`/proc/${embedded.pid()}/${file}`, "utf8");
    // What it hands on to programs that it starts.
    const handedOn = await pick(
      embedded.ownerConnectionString,
      "CREATE TEMP TABLE seen (line text); COPY seen FROM PROGRAM 'env'",
      "SELECT string_agg(line, ' ') AS line FROM seen",
    );
    expect(handedOn).toMatch(/PATH=/);
    expect(handedOn).not.toMatch(/SECRET_MARK|FIELDWATCH|KAFKA|MONGO/);
    expect(proc("environ")).not.toMatch(/SECRET_MARK|FIELDWATCH|KAFKA|MONGO/);
    if (process.getuid?.() === 0) {
      expect(proc("status")).toMatch(/^Uid:\t(?!0\t)/m);
      // Below folders that only root may enter its programs can't be read without one of root's rights.
      const rights = isOpen(process.cwd()) ? "0+" : "0+[24]";
      for (const kind of ["CapEff", "CapPrm", "CapInh", "CapAmb"])
        expect(proc("status")).toMatch(new RegExp(`^${kind}:\t${rights}$`, "m"));
    }
    await embedded.stop();
    rmSync(path.dirname(dataDir), { recursive: true });
  },
);

/** True if everybody may pass through a folder and all those above it. */
function isOpen(folder: string): boolean {
  const above = path.dirname(folder);
  return (statSync(folder).mode & 0o001) !== 0 && (above === folder || isOpen(above));
}

test("below a folder that only its maker may enter it works all the same", async () => {
  const embedded = await startEmbeddedPostgres({ dataDir: path.join(root, "closed", "data"), logger });
  expect(statSync(path.join(root, "closed")).mode & 0o077).toBe(0);
  expect(await query(embedded.connectionString, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await embedded.stop();
});
