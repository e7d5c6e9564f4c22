import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const schema = z.object({
  file: z.string(),
  /** Every item up to here is settled by the server. */
  number: z.int().min(0),
  bytes: z.int().min(0),
  /** What --shift-to-now added; the rest of the recording must move by the same. */
  shiftMs: z.int(),
  tally: z.object({
    sent: z.int().min(0),
    accepted: z.int().min(0),
    rejected: z.record(z.string(), z.object({ count: z.int(), first: z.string() })),
  }),
});

/** How far a replay got. */
export type ReplayProgress = z.infer<typeof schema>;

export interface ProgressFile {
  readonly path: string;
  /** null if there is none, or none that can be read: the replay then starts at the beginning. */
  read(): ReplayProgress | null;
  /** Writes it whole and durably: after a crash there is either the old or the new one. */
  write(progress: ReplayProgress): void;
  clear(): void;
}

/** The file that remembers one replay: one for each recording as it is now and the options that shape its messages. */
export function openProgressFile(dataDir: string, identity: Record<string, unknown>): ProgressFile {
  const name = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);
  const folder = path.join(dataDir, "replay");
  const file = path.join(folder, `${name}.json`);
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
      mkdirSync(folder, { recursive: true });
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
  };
}
