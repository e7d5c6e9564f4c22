import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { errorCode, StartError } from "../start-error";
import { isAlive, startedAt } from "./processes";

interface Owner {
  readonly pid: number;
  readonly started?: string | undefined;
}

/**
 * Makes this process the only one that runs a PostgreSQL in the data folder, through `<data folder>/owner.json`.
 * An owner that no longer lives is replaced.
 * @returns how to let go of the folder.
 * @throws StartError when another process owns it.
 */
export function takeOwnership(dataDir: string): () => void {
  const file = path.join(dataDir, "owner.json");
  const mine = JSON.stringify({ pid: process.pid, started: startedAt(process.pid) } satisfies Owner);
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      writeFileSync(file, mine, { flag: "wx", mode: 0o600 });
      return () => {
        if (read(file) === mine) rmSync(file, { force: true });
      };
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    const found = read(file);
    if (found !== undefined) removeIfDead(dataDir, file, found);
  }
  throw inUse(dataDir, undefined);
}

/** Process id of the living owner of the data folder; undefined if there is none. */
export function ownerOf(dataDir: string): number | undefined {
  const owner = parse(read(path.join(dataDir, "owner.json")) ?? "");
  return owner && isOwnerAlive(owner) ? owner.pid : undefined;
}

/** @throws StartError when the data folder has a living owner. */
export function refuseOwned(dataDir: string): void {
  const pid = ownerOf(dataDir);
  if (pid !== undefined) throw inUse(dataDir, pid);
}

/** True if a Fieldwatch that was killed left its mark in the data folder: parts of it may still be ending. */
export function wasAbandoned(dataDir: string): boolean {
  return read(path.join(dataDir, "owner.json")) !== undefined && ownerOf(dataDir) === undefined;
}

function removeIfDead(dataDir: string, file: string, found: string): void {
  const owner = parse(found);
  if (owner && isOwnerAlive(owner)) throw inUse(dataDir, owner.pid);
  // Two may find the same dead owner: the one who moves away a newer owner's file puts it back.
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (read(aside) === found) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function isOwnerAlive({ pid, started }: Owner): boolean {
  if (!isAlive(pid)) return false;
  return started === undefined || startedAt(pid) === undefined || startedAt(pid) === started;
}

function parse(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return Number.isInteger(owner.pid) ? owner : undefined;
  } catch {
    return undefined; // Cut short by a kill or a full disk.
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function inUse(dataDir: string, pid: number | undefined): StartError {
  return new StartError(
    "Another Fieldwatch is running on this data folder",
    `${dataDir} belongs to process ${pid ?? "(unknown)"}.`,
    "Stop that one (Ctrl-C where it runs" +
      `${pid === undefined ? "" : `, or: kill ${pid}`}), or give this one its own folder and port:\n` +
      "  `FIELDWATCH_DATA_DIR=.fieldwatch-2 PORT=3001 npm start`",
  );
}
