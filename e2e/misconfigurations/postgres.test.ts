import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { composeEngines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { migrate, readMigrations } from "@/server/postgres/migrate";
import { until } from "@/server/testing/until";
import { type PostgresServer, startPostgres } from "../engines/postgres";
import { freePort } from "../engines/ports";
import { diagnose, listening } from "./rig";

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await startPostgres({ settings: ["max_connections=20"] });
  await migrate(postgres.url);
  const config = loadConfig({ DATABASE_URL: postgres.url }, "");
  const engines = await composeEngines(config, "test", pino({ level: "silent" }));
  await engines.eventLog.ensureTopics(topicSettings(config));
  await engines.close();
}, 60_000);
afterAll(() => postgres?.remove());

const env = (change: (url: URL) => void = () => {}) => {
  const url = new URL(postgres.url);
  change(url);
  return { DATABASE_URL: url.href };
};
const server = () => new URL(postgres.url).host;
async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: postgres.url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const DEPENDENT = ["durable", "writable", "migrations", "connections", "size", "clock"].map(
  (name) => `postgres.${name}`,
);
const FIRST_MEND = { status: "unknown", fix: "First mend PostgreSQL: see its failing probes." };

test("all as it should be", async () => {
  const found = await diagnose(env());
  expect(found.accusing()).toEqual([]);
  for (const name of [...DEPENDENT, "postgres.signed-in"]) expect(found.probe(name)).toMatchObject({ status: "pass" });
  expect(found.probe("postgres.durable").summary).toContain("What it confirmed is on the disk");
});

test("wrong port", async () => {
  const port = await freePort();
  const found = await diagnose(env((url) => (url.port = String(port))));
  expect(found.probe("postgres.reachable")).toMatchObject({
    status: "fail",
    summary: "PostgreSQL does not answer.",
    cause: `Nothing listens on 127.0.0.1:${port} (ECONNREFUSED).`,
    fix: expect.stringContaining("correct host and port in DATABASE_URL"),
  });
  for (const name of DEPENDENT) expect(found.probe(name)).toMatchObject(FIRST_MEND);
  expect(found.accusing("postgres.reachable")).toEqual([]);
  expect(found.verdict).toMatch(
    /^PostgreSQL is down since .*: readings can't be taken; devices that keep an outbox lose nothing\.$/,
  );
});

test("wrong password", async () => {
  const found = await diagnose(env((url) => (url.password = "guess")));
  expect(found.probe("postgres.reachable").status).toBe("pass");
  expect(found.probe("postgres.signed-in")).toMatchObject({
    status: "fail",
    cause: `${server()} refuses the user fieldwatch (28P01).`,
    fix: expect.stringContaining("Correct user and password in DATABASE_URL"),
  });
  for (const name of DEPENDENT) expect(found.probe(name)).toMatchObject(FIRST_MEND);
  expect(found.accusing("postgres.signed-in")).toEqual([]);
  expect(JSON.stringify(found.results)).not.toContain("guess");
});

test("database missing", async () => {
  const found = await diagnose(env((url) => (url.pathname = "/plant-7")));
  expect(found.probe("postgres.signed-in")).toMatchObject({
    status: "fail",
    cause: `${server()} has no database "plant-7" (3D000).`,
    fix: expect.stringMatching(
      /^Make it: psql -h 127\.0\.0\.1 -p \d+ -U fieldwatch -d postgres -c 'CREATE DATABASE "plant-7"'$/,
    ),
  });
  for (const name of DEPENDENT) expect(found.probe(name)).toMatchObject(FIRST_MEND);
  expect(found.accusing("postgres.signed-in")).toEqual([]);
});

/** Probes that may speak of the machine's load, which tests share, and of the test server's one user, a superuser. */
const BESIDE = new Set(["postgres.reachable", "postgres.privileges"]);

describe("tables of another version", () => {
  const create = (name: string) => asAdmin((client) => client.query(`CREATE DATABASE ${name}`));

  test("never migrated, and migrated by an older version", async () => {
    await create("old");
    const at = env((url) => (url.pathname = "/old"));
    const wanted = readMigrations();
    for (const known of [null, wanted.slice(0, -1)]) {
      if (known !== null) await migrate(at.DATABASE_URL, known);
      const found = await diagnose(at);
      expect(found.probe("postgres.migrations")).toMatchObject({
        status: "fail",
        cause: expect.stringContaining(wanted.at(-1)!.name),
        fix: "npm run migrate",
      });
      // Whatever needs the tables or the topics names the same fix, or points there.
      const others = found.results.filter(
        ({ name, status }) => status !== "pass" && name !== "postgres.migrations" && !BESIDE.has(name),
      );
      expect(others.map(({ fix }) => fix).filter((fix) => !/^(npm run migrate$|First mend )/.test(fix ?? ""))).toEqual(
        [],
      );
      expect(found.probe("log.iot.telemetry").fix).toBe("npm run migrate");
    }
  });

  test("migrated by a newer version", async () => {
    await create("newer");
    const at = env((url) => (url.pathname = "/newer"));
    const future = { name: "29991231000000_future", sql: "SELECT 1", checksum: "0" };
    await migrate(at.DATABASE_URL, [...readMigrations(), future]);
    expect((await diagnose(at)).probe("postgres.migrations")).toMatchObject({
      status: "fail",
      summary: "The database is newer than this Fieldwatch.",
      cause: expect.stringContaining(future.name),
    });
  });
});

test("clocks that differ", async () => {
  const found = await diagnose(env(), { now: () => Date.now() + 10_000 });
  expect(found.probe("postgres.clock")).toMatchObject({
    status: "warn",
    summary: expect.stringMatching(/^PostgreSQL's clock is (9|10)(\.\d+)? s behind\.$/),
    fix: expect.stringContaining("timedatectl set-ntp true"),
  });
  expect(found.accusing("postgres.clock")).toEqual([]);
});

test("no connection left", async () => {
  const clients: pg.Client[] = [];
  await asAdmin((client) => client.query("CREATE ROLE guest LOGIN PASSWORD 'guest'"));
  const guest = env((url) => {
    url.username = "guest";
    url.password = "guest";
  });
  try {
    // A superuser's last connections are his own: a guest meets the end before him.
    for (let full = false; !full;) {
      const client = new pg.Client({ connectionString: guest.DATABASE_URL });
      client.on("error", () => {});
      await client.connect().then(
        () => clients.push(client),
        () => (full = true),
      );
    }
    const found = await diagnose(guest);
    expect(found.probe("postgres.reachable")).toMatchObject({
      status: "fail",
      summary: "PostgreSQL has no room left.",
      cause: `${server()} has no connection left (53300).`,
      fix: expect.stringContaining("max_connections"),
    });
    expect(found.accusing("postgres.reachable")).toEqual([]);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
});

test("not durable, and read-only", async () => {
  await asAdmin(async (client) => {
    await client.query("ALTER SYSTEM SET full_page_writes = off");
    await client.query("ALTER SYSTEM SET default_transaction_read_only = on");
    await client.query("SELECT pg_reload_conf()");
  });
  try {
    const found = await until(async () => {
      const now = await diagnose(env());
      return now.probe("postgres.durable").status === "warn" && now.probe("postgres.writable").status === "fail"
        ? now
        : null;
    });
    expect(found.probe("postgres.durable")).toMatchObject({
      summary: "full_page_writes is off.",
      fix: "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();",
    });
    expect(found.probe("postgres.writable")).toMatchObject({
      fix: expect.stringContaining("default_transaction_read_only"),
    });
  } finally {
    await asAdmin(async (client) => {
      await client.query("SET default_transaction_read_only = off");
      await client.query("ALTER SYSTEM RESET ALL");
      await client.query("SELECT pg_reload_conf()");
    });
  }
});

test("another program answers there, or nothing does", async () => {
  const other = await listening((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const silent = await listening();
  try {
    for (const { port } of [other, silent]) {
      const found = await diagnose(env((url) => (url.port = String(port))));
      expect(found.probe("postgres.reachable")).toMatchObject({
        status: "fail",
        summary: "PostgreSQL does not answer.",
        cause: expect.stringContaining(`127.0.0.1:${port}`),
      });
      expect(found.accusing("postgres.reachable")).toEqual([]);
    }
  } finally {
    await Promise.all([other.close(), silent.close()]);
  }
});

test("a PostgreSQL that starts: in recovery, it takes connections and turns them away", async () => {
  const recovering = await startPostgres({ settings: ["hot_standby=off", "restore_command=/bin/false"] });
  try {
    await recovering.stop();
    const folder = execFileSync("find", [
      recovering.dataDir,
      "-name",
      "PG_VERSION",
      "-maxdepth",
      "2",
      "-printf",
      "%h",
    ]).toString();
    writeFileSync(path.join(folder, "standby.signal"), "", { mode: 0o644 });
    recovering.start().catch(() => {}); // It never gets ready.
    const found = await until(
      async () => {
        const now = await diagnose({ DATABASE_URL: recovering.url });
        return now.probe("postgres.reachable").cause?.includes("57P03") === true ? now : null;
      },
      { timeoutMs: 20_000 },
    );
    expect(found.probe("postgres.reachable")).toMatchObject({
      status: "fail",
      summary: "PostgreSQL is starting up or shutting down.",
      fix: "Try again when it is ready.",
    });
    expect(found.accusing("postgres.reachable")).toEqual([]);
  } finally {
    await recovering.remove();
  }
}, 60_000);

/** Mounts a file system of 4 MiB; null where this user may not. */
function smallDisk(): string | null {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return null;
  }
}

const disk = smallDisk();
afterAll(() => {
  if (disk === null) return;
  execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true });
});

test.skipIf(disk === null)(
  `the disk is nearly full${disk === null ? " (left out: this user may not mount one)" : ""}`,
  async () => {
    const folder = disk!;
    for (const [kib, status] of [
      [3900, "warn"],
      [4090, "fail"],
    ] as const) {
      writeFileSync(path.join(folder, "ballast"), Buffer.alloc(kib * 1024));
      const found = await diagnose(env(), { dataDir: folder });
      expect(found.probe("machine.disk")).toMatchObject({
        status,
        summary: expect.stringMatching(/^\d+ KiB free of 4 MiB \(\d\.\d %\)\.$/),
        cause: `The disk of ${folder} is nearly full; when it is full, messages can no longer be taken.`,
        fix: expect.stringContaining("LOG_RETENTION_HOURS"),
      });
      expect(found.accusing("machine.disk")).toEqual([]);
    }
  },
);
