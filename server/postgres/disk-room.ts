import { formatBytes } from "@/server/domain/bytes";
import { statfs } from "node:fs/promises";
import { keptFor } from "@/server/async/kept-for";
import type { EpochMs } from "@/server/domain/terms";
import { UnavailableError } from "@/server/domain/unavailable";

/** The room on the disk of a folder, in bytes. */
export interface DiskRoom {
  readonly free: number;
  readonly total: number;
  /** What must stay free: with less, PostgreSQL would soon stop in the middle of its work. */
  readonly least: number;
}

/** The disk of the embedded PostgreSQL is as good as full. It mends by itself when there is room again. */
export class DiskFullError extends UnavailableError {
  override readonly name = "DiskFullError";
  constructor(folder: string, { free, least }: DiskRoom) {
    super(
      `the disk of ${folder} is full: ${formatBytes(free)} are free, and ${formatBytes(least)} must stay so. Free space on it; it goes on by itself`,
    );
  }
}

const MIB = 1024 * 1024;
const MOST_LEAST = 512 * MIB;
const KEPT_MS = 1000;

/** Reads the room there is. @param leastBytes that must stay free; left out, 2 % of the disk, at most 512 MiB. */
export async function readDiskRoom(folder: string, leastBytes: number | undefined): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(folder);
  const total = blocks * bsize;
  return { free: bavail * bsize, total, least: leastBytes ?? Math.min(total * 0.02, MOST_LEAST) };
}

/** Makes a check that there is room on the disk of a folder; it throws DiskFullError where there isn't. Asks at most once a second. */
export function createRoomCheck(
  folder: string,
  leastBytes: number | undefined,
  now: () => EpochMs = Date.now,
): () => Promise<void> {
  const read = keptFor(KEPT_MS, now, () => readDiskRoom(folder, leastBytes));
  return async () => {
    const room = await read();
    if (room.free < room.least) throw new DiskFullError(folder, room);
  };
}
