import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type pg from "pg";
import pino from "pino";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { backupMeans } from "@/server/compose-backup";
import { loadConfig } from "@/server/config/config";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { createPool } from "@/server/postgres/connection";
import { migrate } from "@/server/postgres/migrate";
import { runCold } from "@/server/readings/cold/cli";
import { readAllBlocks } from "@/server/readings/cold/hot-and-cold";
import { coldJobs } from "@/server/readings/cold/jobs";
import { createColdReader } from "@/server/readings/cold/reader";
import { addBlocks, addCatalog, AUGUST, hourOf } from "@/server/testing/cold-rig";
import { jobContext } from "@/server/testing/job-context";
import { runBackup } from "./backup";
import { readManifest } from "./manifest";
import { runRestore } from "./restore";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const logger = pino({ level: "silent" });
const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-cold-backup-"));
const at = (name: string) => path.join(root, name);
const HOUR = 3_600_000;
const STRETCHES = [0, 1].map((hour) => ({ device: 1, from: AUGUST + hour * HOUR, to: AUGUST + (hour + 1) * HOUR }));

let said = "";
let server: EmbeddedPostgres;
let before: unknown;

const configOf = (dataDir: string, cold: string | null) =>
  loadConfig({ FIELDWATCH_DATA_DIR: at(dataDir), ...(cold && { COLD_URL: pathToFileURL(at(cold)).href }) }, "");
const backup = (to: string, ...argv: string[]) =>
  runBackup(configOf("data", "data/cold"), logger, ["--to", at(to), ...argv], backupMeans);
const restore = (dataDir: string, from: string, cold: string | null) =>
  runRestore(configOf(dataDir, cold), logger, ["--from", made(from)], backupMeans);
const made = (to: string) => path.join(at(to), readdirSync(at(to))[0]!);

async function withPool<T>(url: string, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  const pool = createPool(url, { role: "test", logger, size: 4 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

beforeAll(async () => {
  server = await startEmbeddedPostgres({ dataDir: at("data"), logger });
  await migrate(server.ownerConnectionString);
  writeFileSync(at("data/audit.key"), `${"k".repeat(40)}\n`, { mode: 0o600 });
  await withPool(server.ownerConnectionString, async (pool) => {
    await addCatalog(pool, { devices: ["a"], metrics: ["x", "y"], rolledUntil: Date.UTC(2026, 9, 1) });
    await addBlocks(pool, [hourOf(1, 0), hourOf(1, 1), hourOf(1, 24 * 40)]);
    const store = createFolderColdStore(at("data/cold"));
    const cold = createColdReader(store);
    before = await readAllBlocks(pool, cold, STRETCHES);
    for (const job of coldJobs({ store, cold, afterDays: 1 })) await job.run(jobContext(pool));
    expect((await pool.query("SELECT FROM sample")).rowCount).toBe(0);
  });
});
beforeEach(() => {
  said = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});

test("without --with-cold the manifest names what isn't contained, and restore says so", async () => {
  await backup("plain");
  const { cold, notContained, files } = await readManifest(made("plain"));
  expect(cold).toEqual([
    { url: at("data/cold"), months: ["2026-08", "2026-09"], files: 2, bytes: expect.any(Number), isContained: false },
  ]);
  const words = `readings in cold storage: 2 files of 2 months (2026-08 to 2026-09) at ${at("data/cold")}`;
  expect(notContained).toContain(words);
  expect(files.filter(({ path: name }) => name.includes("parquet"))).toEqual([]);
  expect(await restore("restored-plain", "plain", null)).toBe(0);
  expect(said).toContain(`Not restored, as it isn't in the backup: ${words}`);
});

test("--with-cold brings the files to where COLD_URL says, and all of them are verified there", async () => {
  // What an earlier run left is nobody's.
  writeFileSync(at("data/cold/readings/month=2026-08/part-0001-ffffffff.parquet"), "left");
  await backup("whole", "--with-cold");
  expect(said).toContain(`2 files of cold storage at ${at("data/cold")}`);
  const { cold, files } = await readManifest(made("whole"));
  expect(cold).toMatchObject([{ files: 2, isContained: true }]);
  expect(files.filter(({ path: name }) => name.startsWith("cold/"))).toHaveLength(2);
  await expect(restore("restored", "whole", null)).rejects.toMatchObject({ why: "COLD_URL isn't set." });
  expect(existsSync(at("restored"))).toBe(false);
  // Twice to the same place: what is there already stays.
  expect(await restore("restored", "whole", "elsewhere")).toBe(0);
  expect(await restore("restored-again", "whole", "elsewhere")).toBe(0);
  expect(said).toContain(`2 files of cold storage, which was ${at("data/cold")}, brought to ${at("elsewhere")}.`);
  const again = await startEmbeddedPostgres({ dataDir: at("restored"), logger });
  await withPool(again.ownerConnectionString, async (pool) => {
    const store = createFolderColdStore(at("elsewhere"));
    const lines: string[] = [];
    expect(await runCold(["verify"], { pool, store, say: (line) => lines.push(line) })).toBe(0);
    expect(lines).toEqual(["2 files, each as it was written."]);
    expect(await readAllBlocks(pool, createColdReader(store), STRETCHES)).toEqual(before);
    expect((await pool.query("SELECT DISTINCT url FROM cold_file")).rows).toEqual([{ url: at("elsewhere") }]);
  });
  await again.stop();
});

test("another file of the name isn't overwritten, and a damaged one isn't backed up", async () => {
  const [name] = (await readManifest(made("whole"))).files
    .map(({ path: file }) => file)
    .filter((file) => /^cold/.test(file));
  const file = at(`elsewhere/${name!.slice("cold/".length)}`);
  const bytes = readFileSync(file);
  writeFileSync(file, "another");
  await expect(restore("third", "whole", "elsewhere")).rejects.toMatchObject({
    what: "Cold storage holds another file of this name",
  });
  expect(readFileSync(file, "utf8")).toBe("another");
  expect(existsSync(at("third/postgres"))).toBe(false);
  const own = at(`data/${name}`);
  writeFileSync(
    own,
    bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
  );
  await expect(backup("bad", "--with-cold")).rejects.toMatchObject({
    what: "Cold storage can't be backed up",
    why: expect.stringContaining("isn't as it was written"),
  });
  expect(readdirSync(at("bad"))).toEqual([]);
});
