import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { backupMeans } from "@/server/compose-backup";
import { loadConfig } from "@/server/config/config";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { migrate, readMigrations } from "@/server/postgres/migrate";
import { StartError } from "@/server/postgres/start-error";
import { openOutbox } from "@/server/simulator/outbox";
import { runBackup } from "./backup";
import { readLastBackup } from "./last-backup";
import { MANIFEST, readManifest } from "./manifest";
import { runRestore } from "./restore";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const logger = pino({ level: "silent" });
const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-backup-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let said = "";
beforeEach(() => {
  said = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});

const configOf = (dataDir: string) => loadConfig({ FIELDWATCH_DATA_DIR: dataDir }, "");
const backup = (dataDir: string, ...argv: string[]) => runBackup(configOf(dataDir), logger, argv, backupMeans);
const restore = (dataDir: string, from: string) => runRestore(configOf(dataDir), logger, ["--from", from], backupMeans);

const backupsIn = (to: string) =>
  readdirSync(to)
    .sort()
    .map((name) => path.join(to, name));

async function query<T extends object>(connectionString: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** What is refused, as a person reads it. */
async function refused(work: Promise<unknown>): Promise<StartError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof StartError)) throw error ?? new Error("it was not refused");
  return error;
}

const READINGS = `
  INSERT INTO site (name) VALUES ('hamburg');
  INSERT INTO device (name, site_id) SELECT 'press-' || i, 1 FROM generate_series(1, 20) i;
  INSERT INTO metric (name, kind) VALUES ('temperature', 'number');
  SELECT make_month('sample', 2026, 10);`;

describe("a backup of a server that is being written to", () => {
  const dataDir = path.join(root, "data");
  const to = path.join(root, "backups");
  let made: string;
  let server: EmbeddedPostgres;
  /** Rows that were committed before it began, and when it had ended. */
  let before = 0;
  let after = 0;

  beforeAll(async () => {
    vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    server = await startEmbeddedPostgres({ dataDir, logger });
    await migrate(server.ownerConnectionString);
    await query(server.ownerConnectionString, "CREATE TABLE written (n int PRIMARY KEY, filler text)");
    writeFileSync(path.join(dataDir, "audit.key"), `${"k".repeat(40)}\n`, { mode: 0o600 });
    writeFileSync(path.join(dataDir, "ingest.key"), "fws_key\n", { mode: 0o600 });
    const outbox = await openOutbox(path.join(dataDir, "outbox"), 1e9);
    await outbox.put(['{"device":"a"}', '{"device":"b"}'], true);

    const writer = new pg.Client({ connectionString: server.ownerConnectionString });
    writer.on("error", () => {});
    await writer.connect();
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await writer.query("INSERT INTO written VALUES ($1::int, repeat(md5($1::int::text), 100))", [++after]);
        if (after % 50 === 0) await outbox.put([`{"n":${after}}`], false);
      }
    })();
    await vi.waitUntil(() => after > 500, { timeout: 60_000 });
    before = after;
    await backup(dataDir, "--to", to);
    stop = true;
    await writing;
    await writer.end();
    await outbox.close();
    made = backupsIn(to)[0]!;
  });
  afterAll(() => server.stop());

  test("restores what was committed before it, in one piece, and counts the same", async () => {
    const restored = path.join(root, "restored");
    expect(await restore(restored, made)).toBe(0);
    expect(said).toContain("Counted again");
    const { counts, notContained } = await readManifest(made);
    expect(counts.rows.written).toBeGreaterThanOrEqual(before);
    expect(counts.outbox).toBeGreaterThanOrEqual(2);
    expect(notContained).toEqual(["the environment and .env with their secrets"]);

    const again = await startEmbeddedPostgres({ dataDir: restored, logger });
    const [rows] = await query<{ n: string; last: number }>(
      again.ownerConnectionString,
      "SELECT count(*) AS n, max(n) AS last FROM written WHERE filler = repeat(md5(n::text), 100)",
    );
    // Every row up to some moment, and none after.
    expect(rows).toEqual({ n: String(counts.rows.written), last: counts.rows.written });
    expect(await query(again.ownerConnectionString, "SELECT verb, outcome FROM audit_row ORDER BY id")).toEqual([
      { verb: "makeBackup", outcome: "tried" },
      { verb: "restoreBackup", outcome: "done" },
    ]);
    await again.stop();
    for (const name of ["audit.key", "ingest.key"]) {
      expect(readFileSync(path.join(restored, name), "utf8")).toBe(readFileSync(path.join(dataDir, name), "utf8"));
      expect(statSync(path.join(restored, name)).mode & 0o077).toBe(0);
    }
    expect(readLastBackup(restored)).toMatchObject({ made: { folder: made }, failed: null });
  });

  test("is for its owner alone, and noted in the audit record and for health", async () => {
    expect(statSync(made).mode & 0o077).toBe(0);
    for (const name of readdirSync(made)) expect(statSync(path.join(made, name)).mode & 0o077).toBe(0);
    expect(readdirSync(to)).toHaveLength(1);
    expect(readLastBackup(dataDir)).toMatchObject({ made: { folder: made }, failed: null });
    const deeds = await query(
      server.ownerConnectionString,
      "SELECT verb, target, outcome, attempt IS NOT NULL AS settles FROM audit_row ORDER BY id",
    );
    const target = path.basename(made);
    expect(deeds).toEqual([
      { verb: "makeBackup", target, outcome: "tried", settles: false },
      { verb: "makeBackup", target, outcome: "done", settles: true },
    ]);
  });

  test("is refused by the name of the file in which a byte differs, that is cut short or gone", async () => {
    const copy = path.join(root, "copy");
    const target = path.join(root, "never");
    const { files } = await readManifest(made);
    for (const file of [...files.map((one) => one.path), MANIFEST]) {
      for (const damage of [flipByte, cutShort, (name: string) => rmSync(name)]) {
        cpSync(made, copy, { recursive: true });
        damage(path.join(copy, file));
        const { what, why } = await refused(restore(target, copy));
        expect(what).toMatch(/damaged|no whole backup/);
        expect(why).toContain(what.includes("damaged") ? path.join(copy, file) : MANIFEST);
        expect(existsSync(target)).toBe(false);
        rmSync(copy, { recursive: true });
      }
    }
  });

  test("goes into an empty folder only, that nobody runs on", async () => {
    expect((await refused(restore(dataDir, made))).what).toBe("Another Fieldwatch is running on this data folder");
    const used = path.join(root, "used");
    mkdirSync(used);
    writeFileSync(path.join(used, "mine"), "");
    const { what, why, fix } = await refused(restore(used, made));
    expect(what).toBe("The data folder isn't empty");
    expect(why).toContain("mine");
    expect(fix).toContain(`mv ${used}`);
    // What a restore that was killed left counts for nothing.
    rmSync(path.join(used, "mine"));
    mkdirSync(path.join(used, "restore.partial", "postgres"), { recursive: true });
    expect(await restore(used, made)).toBe(0);
    expect(readdirSync(used)).not.toContain("restore.partial");
  });

  test("of a newer version is refused", async () => {
    const copy = path.join(root, "newer");
    cpSync(made, copy, { recursive: true });
    const { manifestText } = await import("./manifest");
    const manifest = await readManifest(copy);
    writeFileSync(path.join(copy, MANIFEST), manifestText({ ...manifest, schema: "29991231000000_later" }));
    expect((await refused(restore(path.join(root, "never"), copy))).what).toBe("The backup is of a newer Fieldwatch");
  });

  test("is kept beside another of the same second, as when cron starts those of two products at once", async () => {
    const shared = path.join(root, "shared");
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (let n = 0; n < 2; n++) await backup(dataDir, "--to", shared);
    } finally {
      vi.useRealTimers();
    }
    const [first, second] = backupsIn(shared) as [string, string];
    expect(second).toBe(`${first}-2`);
    expect(said).toContain(`${first}\n`);
    expect(said).toContain(`${second}\n`);
    expect((await readManifest(second)).files).not.toEqual([]);
    expect(readLastBackup(dataDir)!.made!.folder).toBe(second);
  });

  test("takes the place of older ones and of what a killed one left", async () => {
    mkdirSync(path.join(to, ".partial-999999999-fieldwatch-2026"), { recursive: true });
    mkdirSync(path.join(to, "fieldwatch-2020-not-ours"));
    await backup(dataDir, "--to", to, "--keep", "1");
    expect(said).toContain(`Removed ${made}: 1 newer one is kept.`);
    expect(readdirSync(to).sort()).toEqual([
      "fieldwatch-2020-not-ours",
      path.basename(readLastBackup(dataDir)!.made!.folder),
    ]);
  });

  test("that fails leaves nothing but a word of it", async () => {
    const file = path.join(root, "a-file");
    writeFileSync(file, "");
    expect((await refused(backup(dataDir, "--to", path.join(file, "below")))).what).toBe("The backup can't be written");
    const last = readLastBackup(dataDir)!;
    expect(last.failed?.why).toContain("The backup can't be written");
    expect(last.made?.folder).toBeDefined();
    const [deed] = await query(server.ownerConnectionString, "SELECT outcome FROM audit_row ORDER BY id DESC LIMIT 1");
    expect(deed).toEqual({ outcome: "failed" });
    for (const [argv, why] of [
      [["--keep", "0"], "--keep 0"],
      [["--where", "x"], "--where"],
    ] as const)
      expect((await refused(backup(dataDir, ...argv))).why).toContain(why);
  });
});

test("a backup of the version before comes up with nothing lost, as does one made while nothing runs", async () => {
  const dataDir = path.join(root, "before");
  const server = await startEmbeddedPostgres({ dataDir, logger });
  await migrate(
    server.ownerConnectionString,
    readMigrations().filter(({ name }) => name < "20261128235900_key_lines"),
  );
  await query(server.ownerConnectionString, READINGS);
  await query(
    server.ownerConnectionString,
    `INSERT INTO sample (device_id, time, metrics, values)
     SELECT d, '2026-10-05Z'::timestamptz + i * interval '1 s', '{1}', ARRAY[i] FROM generate_series(1, 20) d, generate_series(1, 100) i`,
  );
  await server.stop();
  const to = path.join(root, "before-backups");
  await backup(dataDir, "--to", to);
  const restored = path.join(root, "before-restored");
  expect(await restore(restored, backupsIn(to)[0]!)).toBe(0);
  expect(said).toMatch(/Brought up to date by \d+ migration/);
  const again = await startEmbeddedPostgres({ dataDir: restored, logger });
  expect(await query(again.ownerConnectionString, "SELECT count(*)::int AS n FROM reading")).toEqual([{ n: 2000 }]);
  await again.stop();
});

test("what isn't a backup, and what can't be backed up, is said", async () => {
  const nothing = path.join(root, "nothing");
  expect((await refused(restore(nothing, root))).what).toBe("There is no whole backup");
  expect((await refused(backup(nothing))).what).toBe("There is nothing to back up");
  const file = path.join(root, "a-file");
  writeFileSync(file, "");
  expect((await refused(restore(file, root))).what).toBe("The data folder can't be made");
  const outside = loadConfig({ DATABASE_URL: "postgresql://a:b@db/fieldwatch", FIELDWATCH_DATA_DIR: nothing }, "");
  expect((await refused(runBackup(outside, logger, [], backupMeans))).fix).toContain("docs/backup.md");
  expect((await refused(runRestore(outside, logger, ["--from", root], backupMeans))).fix).toContain("docs/backup.md");
});

function flipByte(file: string): void {
  const bytes = readFileSync(file);
  if (bytes.length === 0) return writeFileSync(file, "x", { mode: 0o600 });
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes, { mode: 0o600 });
}

function cutShort(file: string): void {
  const { size } = statSync(file);
  if (size === 0) rmSync(file);
  else truncateSync(file, size - 1);
}
