import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "@/server/config/make-folder.mjs";
import { command } from "@/server/domain/fix";
import {
  ColdFileExistsError,
  ColdFileMissingError,
  type ColdStore,
  ColdUnavailableError,
} from "@/server/ports/cold-store";
import { errorCode, StartError } from "@/server/postgres/start-error";
import type { Manifest } from "./manifest";
import { keepRoom } from "./room";

/** The folder of files of cold storage. */
export const COLD = "cold";

/** A file of cold storage that the database reads. */
export interface KeptFile {
  readonly name: string;
  /** As 2026-08. */
  readonly month: string;
  /** Where it was written to. */
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a manifest says of the files that a database reads, by where they are. */
export function coldOf(files: readonly KeptFile[], isContained: boolean): NonNullable<Manifest["cold"]> {
  return [...new Set(files.map(({ url }) => url))].sort().map((url) => {
    const own = files.filter((file) => file.url === url);
    const months = [...new Set(own.map(({ month }) => month))].sort();
    return { url, months, files: own.length, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0), isContained };
  });
}

/**
 * Copies what may belong to a backup, right after the cluster was read; what is removed meanwhile is left out.
 * @throws StartError when cold storage is away, or there is no room.
 */
export async function copyCold(store: ColdStore, files: readonly KeptFile[], to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  await keepRoom(
    to,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const { name, bytes } of files) {
    const content = await explained(() => readWhole(store, name, bytes));
    if (content === null) continue;
    const target = path.join(to, name);
    await makeFolder(path.dirname(target), 0o700);
    await writeFile(target, content, { mode: 0o600, flush: true });
  }
}

/** Removes of the copies what the backup's database doesn't read, and compares the others. @throws StartError when one is missing or damaged. */
export async function settleCold(folder: string, kept: readonly KeptFile[]): Promise<void> {
  const wanted = new Set(kept.map(({ name }) => name));
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(path.relative(folder, file).split(path.sep).join("/"))) await rm(file);
  }
  for (const { name, sha256 } of kept) {
    const content = await readFile(path.join(folder, name)).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return null;
      throw error;
    });
    if (content !== null && sha256Of(content) === sha256) continue;
    throw new StartError(
      "Cold storage can't be backed up",
      `${name} ${content === null ? "isn't there, or was replaced meanwhile" : "isn't as it was written"}.`,
      `Try again; if it is the same then, ${command`npm run cold -- verify`} names all that are missing or damaged. Without --with-cold the rest is backed up.`,
    );
  }
}

/** Puts a backup's files where they are read from now on. One that is there already stays. @throws StartError when it is another, or storage is away. */
export async function bringCold(backup: string, files: Manifest["files"], store: ColdStore): Promise<void> {
  for (const { path: file, bytes, sha256 } of files) {
    const name = path.posix.relative(COLD, file);
    const content = await readFile(path.join(backup, file));
    await explained(async () => {
      try {
        await store.put(name, content);
      } catch (error) {
        if (!(error instanceof ColdFileExistsError)) throw error;
        const there = await readWhole(store, name, bytes);
        if (there !== null && sha256Of(there) === sha256) return;
        throw new StartError(
          "Cold storage holds another file of this name",
          `${name} at ${store.url} isn't the one of the backup, and nothing is overwritten.`,
          "Name a new folder: `COLD_URL=file:///path/to/folder`",
        );
      }
    });
  }
}

async function readWhole(store: ColdStore, name: string, bytes: number): Promise<Uint8Array | null> {
  try {
    return await store.read(name, 0, bytes);
  } catch (error) {
    if (error instanceof ColdFileMissingError) return null;
    throw error;
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ColdUnavailableError)) throw error;
    throw new StartError("Cold storage is away", error.message, error.fix, { cause: error });
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
