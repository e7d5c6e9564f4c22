import { chmod, copyFile, cp, mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode, StartError } from "@/server/postgres/start-error";

/** The simulator's queue on disk, in the data folder. */
export const OUTBOX = "outbox";
/** Name of the audit record's anchors in a backup, wherever they lie. */
export const ANCHORS = "audit-anchors.ndjson";

/** What of a data folder belongs to its PostgreSQL, to the process that runs now, or to the last backup. */
const NOT_COPIED = /^(postgres($|[.])|owner[.]json|setup-attempts|backup[.]json|restore[.]partial|[.]probe-)/;

/** Files that LevelDB only ever appends to, or changes by a new file. */
const MANIFEST = /^(MANIFEST-\d+|CURRENT)$/;
const OUTBOX_TRIES = 50;

/**
 * Copies what must not know more than the database: the outbox, whose messages may come again but not be missing, and the anchors, which may
 * tell of no seal that isn't there. Before the cluster is read.
 */
export async function copyFirst(dataDir: string, anchorFile: string, to: string): Promise<void> {
  await copyOutbox(path.join(dataDir, OUTBOX), path.join(to, OUTBOX));
  await copyFile(anchorFile, path.join(to, ANCHORS)).catch(unlessMissing);
}

/**
 * Copies what never changes once it is there, such as keys. After the cluster was read, so that none it needs is missing.
 * @param leftOut folders below the data folder that stay out.
 */
export async function copyLast(dataDir: string, to: string, leftOut: readonly string[]): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name === OUTBOX || name === ANCHORS || NOT_COPIED.test(name)) continue;
    const from = path.join(dataDir, name);
    await cp(from, path.join(to, name), { recursive: true, filter: (source) => !leftOut.includes(source) });
  }
}

/** Copies a LevelDB that somebody writes to: its files as they were at one moment, but for the end of its newest log. */
async function copyOutbox(from: string, to: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const before = await stateOf(from);
    if (before === null) return;
    try {
      await mkdir(to, { mode: 0o700 });
      for (const name of before.names) await copyFile(path.join(from, name), path.join(to, name));
      const after = await stateOf(from);
      if (after?.text === before.text) return;
    } catch (error) {
      unlessMissing(error);
    }
    await rm(to, { recursive: true, force: true });
    if (tries === OUTBOX_TRIES)
      throw new StartError(
        "The simulator's outbox can't be copied",
        `The files in ${from} don't stay the same for as long as copying them takes.`,
        "Try again, or stop the simulator for the time: `DEMO_DEVICES=0 npm start`",
      );
    await delay(100);
  }
}

async function stateOf(folder: string): Promise<{ names: readonly string[]; text: string } | null> {
  try {
    const names = (await readdir(folder)).filter((name) => name !== "LOCK" && !name.startsWith("LOG")).sort();
    const sizes = names.filter((name) => MANIFEST.test(name)).map((name) => stat(path.join(folder, name)));
    return {
      names,
      text: JSON.stringify([names, (await Promise.all(sizes)).map(({ size, mtimeMs }) => [size, mtimeMs])]),
    };
  } catch (error) {
    unlessMissing(error);
    return null;
  }
}

/** Takes from all but the owner the right to read a folder and what is in it. */
export async function closeToOthers(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) await closeToOthers(full);
    else await chmod(full, 0o600);
  }
}

function unlessMissing(error: unknown): void {
  if (errorCode(error) !== "ENOENT") throw error;
}
