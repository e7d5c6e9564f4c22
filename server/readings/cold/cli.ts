import { parseArgs } from "node:util";
import { createHash } from "node:crypto";
import type { Pool } from "pg";
import type { ColdStore } from "@/server/ports/cold-store";
import { ColdFileMissingError, ColdUnavailableError } from "@/server/ports/cold-store";
import { counted } from "@/server/domain/counted";
import { parseMonth, startOf } from "@/server/postgres/months";
import { StartError } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";
import { createPartitions } from "../partitions";
import { bringBack } from "./bring-back";
import { noteRemoving } from "./manifest";
import { firstDay } from "./month-plan";
import { createColdReader } from "./reader";

const USAGE = "npm run -s cold -- list | verify [--month 2026-08] | restore --month 2026-08 | release --month 2026-08";

export interface ColdCliDeps {
  readonly pool: Pool;
  /** Null: COLD_URL isn't set. */
  readonly store: ColdStore | null;
  readonly say: (line: string) => void;
}

/**
 * `npm run cold -- list|verify|restore|release`: what is in cold storage, whether it is whole, and months brought back from there.
 * @returns the exit code: 1 when verify or restore found something missing or damaged.
 */
export async function runCold(argv: string[], deps: ColdCliDeps): Promise<number> {
  const { command, month } = readCommand(argv);
  if (command === "list") return list(deps);
  if (command === "release") return release(deps, month!);
  if (deps.store === null)
    throw new StartError("There is no cold storage", "COLD_URL isn't set.", "Set COLD_URL to where the files are.");
  try {
    return command === "verify" ? await verify(deps, deps.store, month) : await restore(deps, deps.store, month!);
  } catch (error) {
    if (!(error instanceof ColdUnavailableError)) throw error;
    throw new StartError("Cold storage can't be reached", `${error.message}.`, error.fix, { cause: error });
  }
}

function readCommand(argv: string[]): { command: "list" | "verify" | "restore" | "release"; month: number | null } {
  const wrong = (why: string) => new StartError("Nothing was done", why, USAGE);
  let parsed;
  try {
    parsed = parseArgs({ args: argv, allowPositionals: true, options: { month: { type: "string" } } });
  } catch (error) {
    throw wrong((error as Error).message);
  }
  const [command = "list", more] = parsed.positionals;
  if (more !== undefined || !["list", "verify", "restore", "release"].includes(command))
    throw wrong(`There is no command ${parsed.positionals.join(" ")}.`);
  const month = parsed.values.month === undefined ? null : parseMonth(parsed.values.month);
  if (parsed.values.month !== undefined && month === null)
    throw wrong(`${parsed.values.month} isn't a month such as 2026-08.`);
  if (month === null && (command === "restore" || command === "release")) throw wrong("--month is missing.");
  return { command: command as "list", month };
}

async function list({ pool, say }: ColdCliDeps): Promise<number> {
  const { rows } = await pool.query<Record<"month" | "files" | "readings" | "bytes" | "where", string>>(
    `SELECT to_char(month, 'YYYY-MM') AS month, count(*) AS files, sum(readings) AS readings, sum(bytes) AS bytes, min(url) AS "where"
     FROM cold_file WHERE state = 'kept' GROUP BY month ORDER BY month`,
  );
  for (const { month, files, readings, bytes, where } of rows)
    say(
      `${month}  ${counted(Number(readings), "reading")}, ${sizeOf(Number(bytes))} in ${counted(Number(files), "file")} at ${where}`,
    );
  if (rows.length === 0) say("No readings are in cold storage.");
  const { rows: held } = await pool.query<{ month: string }>(
    "SELECT to_char(month, 'YYYY-MM') AS month FROM cold_hold ORDER BY month",
  );
  for (const { month } of held) say(`${month}  stays in PostgreSQL until: npm run cold -- release --month ${month}`);
  return 0;
}

async function verify({ pool, say }: ColdCliDeps, store: ColdStore, month: number | null): Promise<number> {
  const { rows: files } = await pool.query<{ name: string; url: string; bytes: string; sha256: string }>(
    `SELECT name, url, bytes, sha256 FROM cold_file WHERE state = 'kept' AND ($1::date IS NULL OR month = $1) ORDER BY name`,
    [month === null ? null : firstDay(month)],
  );
  let bad = 0;
  const elsewhere = new Set<string>();
  for (const { name, url, bytes, sha256 } of files) {
    const found = await store.read(name, 0, Number(bytes)).catch((error: unknown) => {
      if (error instanceof ColdFileMissingError) return null;
      throw error;
    });
    const isGood = found !== null && createHash("sha256").update(found).digest("hex") === sha256;
    if (isGood) continue;
    bad++;
    if (url !== store.url) elsewhere.add(url);
    say(`${name}  ${found === null ? "is missing, or too short" : "isn't as it was written"}`);
  }
  say(
    bad === 0
      ? `${counted(files.length, "file")}, each as it was written.`
      : `${bad} of ${counted(files.length, "file")} can't be read: bring them back from a backup of cold storage.`,
  );
  if (elsewhere.size > 0)
    say(
      `Some were written to ${[...elsewhere].join(" and ")}, and COLD_URL is ${store.url}: bring them there, or set it back.`,
    );
  return bad === 0 ? 0 : 1;
}

/** Brings a month back, device by device; whatever ends it, each device's readings are in one place, and it goes on where it was. */
async function restore({ pool, say }: ColdCliDeps, store: ColdStore, month: number): Promise<number> {
  const cold = createColdReader(store);
  const day = firstDay(month);
  const { rowCount } = await pool.query("INSERT INTO cold_hold (month) VALUES ($1) ON CONFLICT DO NOTHING", [day]);
  await createPartitions(pool).ensure([startOf(month)]);
  const { rows: files } = await pool.query<{ id: number; name: string }>(
    "SELECT id, name FROM cold_file WHERE month = $1 AND state = 'kept' ORDER BY name",
    [day],
  );
  let devices = 0;
  let unreadable = 0;
  try {
    for (const { id, name } of files) {
      const { rows } = await pool.query<{ device: number }>(
        "SELECT device_id AS device FROM cold_device WHERE file_id = $1 ORDER BY device_id",
        [id],
      );
      try {
        for (const { device } of rows) {
          await withTransaction(pool, async (tx) => {
            await tx.query("SELECT FROM device WHERE id = $1 FOR NO KEY UPDATE", [device]);
            await bringBack(tx, cold, device, { file: id });
          });
          devices++;
        }
      } catch (error) {
        if (!(error instanceof ColdFileMissingError)) throw error;
        unreadable++;
        say(`${name}  is missing, or isn't as it was written`);
        continue;
      }
      await withTransaction(pool, (tx) => noteRemoving(tx, [id]));
      say(
        `${name}  is back in PostgreSQL; the file is removed by the next run of the job cold-readings, ten minutes from now at the earliest.`,
      );
    }
  } finally {
    // A month of which nothing came back isn't one that stays.
    if (devices === 0 && rowCount === 1) await pool.query("DELETE FROM cold_hold WHERE month = $1", [day]);
  }
  const name = day.slice(0, 7);
  if (files.length === 0) say(`Nothing of ${name} is in cold storage.`);
  if (devices > 0)
    say(
      `${counted(devices, "device")} have ${name} in PostgreSQL again. It stays until: npm run cold -- release --month ${name}`,
    );
  if (unreadable === 0) return 0;
  say(
    `${unreadable} of ${counted(files.length, "file")} can't be read: bring them back from a backup of cold storage.`,
  );
  return 1;
}

async function release({ pool, say }: ColdCliDeps, month: number): Promise<number> {
  const { rowCount } = await pool.query("DELETE FROM cold_hold WHERE month = $1", [firstDay(month)]);
  const name = firstDay(month).slice(0, 7);
  say(rowCount === 0 ? `${name} wasn't held.` : `${name} goes to cold storage again when it is old enough.`);
  return 0;
}

function sizeOf(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
