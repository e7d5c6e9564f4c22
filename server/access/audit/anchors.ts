import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { makeFolderSync } from "@/server/config/make-folder.mjs";

/** A seal as it is told outside of the database. */
export interface Anchor {
  readonly seal: number;
  /** RFC 3339. */
  readonly time: string;
  /** The seal's hash in hex. */
  readonly hash: string;
}

const line = z.object({ seal: z.int().min(1), time: z.string(), hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** More than the longest line. */
const TAIL = 4096;

/** The last whole line of the file, or null when there is none. */
export function readLastAnchor(file: string): Anchor | null {
  let from: number;
  try {
    from = openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    const { size } = fstatSync(from);
    const tail = Buffer.alloc(Math.min(TAIL, size));
    readSync(from, tail, 0, tail.length, size - tail.length);
    return (
      tail
        .toString("utf8")
        .split("\n")
        .map(parse)
        .findLast((anchor) => anchor !== null) ?? null
    );
  } finally {
    closeSync(from);
  }
}

/** Adds a line, and sees to it that it is on the disk. */
export function appendAnchor(file: string, anchor: Anchor): void {
  makeFolderSync(path.dirname(file), 0o700);
  const to = openSync(file, "a+", 0o600);
  try {
    const { size } = fstatSync(to);
    const last = Buffer.alloc(1);
    if (size > 0) readSync(to, last, 0, 1, size - 1);
    // Whoever was killed while writing left half a line.
    const gap = size > 0 && last.toString() !== "\n" ? "\n" : "";
    writeSync(to, `${gap}${JSON.stringify(anchor)}\n`);
    fsyncSync(to);
  } finally {
    closeSync(to);
  }
}

/** Every anchor of a file, in its order; lines that are none are left out. @throws Error when it can't be read. */
export async function* readAnchors(file: string): AsyncGenerator<Anchor> {
  const from = await open(file);
  for await (const text of from.readLines({ encoding: "utf8" })) {
    const anchor = parse(text);
    if (anchor !== null) yield anchor;
  }
}

function parse(text: string): Anchor | null {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
