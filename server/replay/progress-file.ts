import { createHash, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { makeFolderSync } from "@/server/config/make-folder.mjs";
import { takeLock } from "./progress-lock";
import { ReplayUsageError } from "./usage-error";

const reasons = z.record(z.string(), z.object({ count: z.int(), first: z.string() }));
const schema = z.object({
  file: z.string(),
  /** The id its messages are counted under by the pipeline; the same over all interruptions. */
  run: z.string(),
  /** Every item up to here is settled by the server. */
  number: z.int().min(0),
  bytes: z.int().min(0),
  /** The shift that --shift-to-now added; the rest of the recording must move by the same. */
  shiftMs: z.int(),
  tally: z.object({
    sent: z.int().min(0),
    /** Rows without a value; nothing was sent for them. */
    empty: z.int().min(0),
    /** Rows with more fields than columns. */
    long: z.int().min(0).default(0),
    /** Messages that went out again because an answer was lost: they may be in the log twice. */
    again: z.int().min(0),
    accepted: z.int().min(0),
    rejected: reasons,
    /** Parts that were left out of messages which were sent. */
    partly: reasons.default({}),
    /** Places of the first items of which nothing was taken. */
    lost: z.array(z.string()).default([]),
  }),
});

/** The progress of a replay. */
export type ReplayProgress = z.infer<typeof schema>;

export interface ProgressFile {
  readonly path: string;
  /** null if there is none, or none that can be read: the replay then starts at the beginning. */
  read(): ReplayProgress | null;
  /** Writes it whole and durably: after a crash there is either the old or the new one. */
  write(progress: ReplayProgress): void;
  /** Forgets the replay: it is through. */
  clear(): void;
  /** Lets others have it. */
  release(): void;
}

/** The progress of a replay that has not begun. */
export function noProgress(file: string, shiftMs: number): ReplayProgress {
  const tally = { sent: 0, empty: 0, long: 0, again: 0, accepted: 0, rejected: {}, partly: {}, lost: [] };
  return { file: path.resolve(file), run: randomUUID(), number: 0, bytes: 0, shiftMs, tally };
}

/**
 * The file that remembers one replay: one for each recording as it is now and the options that shape its messages. It is
 * this process's alone until it is released.
 * @throws ReplayUsageError while another process replays the same.
 */
export function openProgressFile(dataDir: string, identity: Record<string, unknown>): ProgressFile {
  const name = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
  const folder = path.join(dataDir, "replay");
  const file = path.join(folder, `${name}.json`);
  let lock: ReturnType<typeof takeLock>;
  try {
    lock = takeLock(`${file}.lock`);
  } catch (error) {
    throw new ReplayUsageError(
      `What was sent can't be noted in ${folder}: ${(error as Error).message}. Name a data folder that can be written to: FIELDWATCH_DATA_DIR=/path/to/folder npm run replay -- FILE`,
      { cause: error },
    );
  }
  if (!("isHeld" in lock))
    throw new ReplayUsageError(
      `The same file is being replayed in the same way already, by process ${lock.pid} on ${lock.host}. Wait for it, or stop it first; the same command then goes on from there.`,
    );
  return {
    path: file,
    read() {
      try {
        return schema.parse(JSON.parse(readFileSync(file, "utf8")));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "ENOENT" || code === "ENOTDIR" || error instanceof SyntaxError || error instanceof z.ZodError)
          return null;
        throw error;
      }
    },
    write(progress) {
      if (!lock.isHeld())
        throw new ReplayUsageError(
          "Another process took this replay over, because this one gave no sign of life for 30 s. Nothing is lost: it goes on there.",
        );
      makeFolderSync(folder);
      const written = openSync(`${file}.new`, "w");
      try {
        writeSync(written, JSON.stringify(progress));
        fsyncSync(written);
      } finally {
        closeSync(written);
      }
      renameSync(`${file}.new`, file);
    },
    clear() {
      rmSync(file, { force: true });
    },
    release: () => lock.release(),
  };
}
