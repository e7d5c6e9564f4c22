import { accessSync, constants, existsSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { makeFolderSync } from "@/server/config/make-folder.mjs";
import { command } from "@/server/domain/fix";
import { errorCode, StartError } from "../start-error";

/** An empty PostgreSQL takes 40 MB and its first write-ahead log 16 MB. */
const LEAST_FREE_BYTES = 96 * 1024 * 1024;

/** Makes the data folder if needed and checks that it can be written to. @throws StartError when it can't. */
export function prepareDataFolder(dataDir: string): void {
  try {
    makeFolderSync(dataDir, 0o700);
    const probe = path.join(dataDir, `.probe-${process.pid}`);
    writeFileSync(probe, "probe");
    rmSync(probe);
  } catch (error) {
    throw folderError(dataDir, error);
  }
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  if (free < LEAST_FREE_BYTES) throw diskFull(dataDir, `only ${Math.floor(free / 1048576)} MB are free there.`);
}

/**
 * Looks whether the data folder is one or can become one; makes nothing.
 * @returns whether it is there.
 * @throws StartError when there is a file in its place, or this user may not write there.
 */
export function lookAtDataFolder(dataDir: string): boolean {
  const there = nearest(dataDir);
  try {
    if (!statSync(there).isDirectory()) throw Object.assign(new Error(`${there} is a file`), { code: "ENOTDIR" });
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw folderError(dataDir, error);
  }
  return there === dataDir;
}

/** Explains a failure to write to the data folder to who gave `script`; other errors come back as they are. */
export function folderError(dataDir: string, error: unknown, script = "npm start"): unknown {
  const code = errorCode(error);
  const elsewhere = `Choose another folder: \`FIELDWATCH_DATA_DIR=/path/to/folder ${script}\``;
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(dataDir, "no space is left there.");
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    const why = `${dataDir} is ${code === "EROFS" ? "on a read-only file system" : "not writable for this user"} (${code}).`;
    return new StartError("The data folder can't be written to", why, `Make it writable for this user.\n${elsewhere}`, {
      cause: error,
    });
  }
  if (code === "ENOTDIR" || code === "EEXIST" || code === "ENOENT" || code === "ELOOP" || code === "ENAMETOOLONG") {
    const file = fileInTheWay(dataDir);
    if (file !== null) return fileError(dataDir, file, elsewhere, error);
    return new StartError("The data folder can't be made", `${dataDir} can't become a folder (${code}).`, elsewhere, {
      cause: error,
    });
  }
  return error;
}

/** That the disk of the data folder has too little room. */
export function diskFull(dataDir: string, why: string): StartError {
  return new StartError(
    "The disk of the data folder is full",
    `${dataDir}: ${why}`,
    `Free some space (at least ${LEAST_FREE_BYTES / 1048576} MB), or choose another disk: ${command`FIELDWATCH_DATA_DIR=/path/to/folder npm start`}\nNothing that was stored is lost.`,
  );
}

function fileError(dataDir: string, file: string, elsewhere: string, cause: unknown): StartError {
  const why = file === dataDir ? "is a file" : `would be below ${file}, which is a file`;
  return new StartError(
    "The data folder can't be made",
    `${dataDir} ${why}; Fieldwatch keeps its data in a folder.`,
    `${elsewhere}\nor move that file away.`,
    { cause },
  );
}

/** The file that is where the folder or one above it should be; null if there is none. */
function fileInTheWay(folder: string): string | null {
  const there = nearest(folder);
  return statSync(there, { throwIfNoEntry: false })?.isDirectory() === false ? there : null;
}

/** The folder, or the nearest one above it that is there. */
function nearest(folder: string): string {
  for (let at = folder; ; at = path.dirname(at)) if (existsSync(at) || at === path.dirname(at)) return at;
}
