import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { z } from "zod";
import { makeFolderSync } from "@/server/config/make-folder.mjs";

/** The interval of an owner's sign of life, and the silence after which it counts as dead, in milliseconds. */
const BEAT_MS = 5000;
const STALE_MS = 30_000;

const ownerSchema = z.object({ token: z.string(), pid: z.int().positive(), host: z.string() });

/** The holder of the lock, for a person to find. */
type LockOwner = z.infer<typeof ownerSchema>;

export interface ProgressLock {
  /** False once somebody else has taken it over: this process was stopped for too long. */
  isHeld(): boolean;
  release(): void;
}

/**
 * Takes the lock, or that of an owner that is dead: its process is gone, or it has not shown a sign of life for 30 s.
 * @returns the owner instead if it is taken.
 */
export function takeLock(file: string): ProgressLock | LockOwner {
  const own: LockOwner = { token: randomUUID(), pid: process.pid, host: hostname() };
  makeFolderSync(path.dirname(file));
  if (!create(file, own)) {
    const owner = readOwner(file);
    if (owner !== null && isAlive(file, owner)) return owner;
    // Put in the dead one's place at once; of two that do so the last stays, and both look who that is.
    const place = `${file}.${own.token}`;
    writeFileSync(place, JSON.stringify(own));
    renameSync(place, file);
  }
  const isHeld = () => readOwner(file)?.token === own.token;
  if (!isHeld()) return readOwner(file) ?? own;
  const beat = setInterval(() => {
    if (isHeld()) utimesSync(file, new Date(), new Date());
  }, BEAT_MS);
  beat.unref();
  return {
    isHeld,
    release() {
      clearInterval(beat);
      if (isHeld()) rmSync(file, { force: true });
    },
  };
}

function create(file: string, own: LockOwner): boolean {
  try {
    writeFileSync(file, JSON.stringify(own), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** null when it is gone, or half written. */
function readOwner(file: string): LockOwner | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

function isAlive(file: string, { pid, host }: LockOwner): boolean {
  const sign = statSync(file, { throwIfNoEntry: false });
  if (!sign || Date.now() - sign.mtimeMs > STALE_MS) return false;
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
