import { readdir, lstat, statfs } from "node:fs/promises";
import path from "node:path";
import { errorCode, StartError } from "@/server/postgres/start-error";

/** Stays free whatever is written, in bytes: the database may be on the same disk. */
const RESERVE = 256 * 1024 * 1024;

/** @throws StartError unless this many bytes can be written in the folder with something left. */
export async function keepRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes + RESERVE) return;
  throw new StartError(
    "There is no room for the backup",
    `${folder}: ${sizeOf(free)} are free; it takes ${sizeOf(bytes)}, and ${sizeOf(RESERVE)} stay free.`,
    "Free some space, or name a folder on another disk: `npm run backup -- --to /path/to/folder`",
  );
}

/** Bytes of all files below a folder; what goes away meanwhile counts nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name);
      bytes += entry.isDirectory() ? await bytesBelow(full) : (await lstat(full)).size;
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return bytes;
}

/** Words a number of bytes: "512 kB", "84 MB", "1.3 GB". */
export function sizeOf(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
