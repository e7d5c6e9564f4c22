import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { command } from "@/server/domain/fix";
import { errorCode, StartError } from "@/server/postgres/start-error";

export const MANIFEST = "manifest.json";
/** The tar file of the cluster. */
export const CLUSTER = "postgres.tar.gz";
/** The folder of what else lies in the data folder. */
export const FILES = "files";

const count = z.int().min(0);

const counts = z.object({
  /** Messages that were handled, and the readings and dead letters they gave, by the positions in the log. */
  handled: z.object({ messages: count, readings: count, deadLetters: count }),
  /** Readings in PostgreSQL, counted. */
  readings: count,
  /** Messages that wait in the simulator's outbox. */
  outbox: count,
  /** Rows of each table. */
  rows: z.record(z.string(), count),
});

/** What is counted in a backup, and again in what was restored from it. */
export type Counts = z.infer<typeof counts>;

const manifest = z.object({
  format: z.literal(1),
  /** Fieldwatch's version. */
  version: z.string(),
  /** RFC 3339: all that was accepted before it is in the backup. */
  time: z.string(),
  /** PostgreSQL's number of the cluster, the same in all backups of a data folder. */
  cluster: z.string(),
  /** Name of its newest migration. */
  schema: z.string(),
  /** Bytes it takes when restored. */
  unpackedBytes: count,
  counts,
  /** Settings of the configuration that were not the default's; a secret's value isn't told. */
  settings: z.record(z.string(), z.unknown()),
  /** What belongs to this Fieldwatch and isn't in the backup, in words. */
  notContained: z.array(z.string()),
  /** Files of cold storage that its database reads, by where they were; backups of before don't tell. */
  cold: z
    .array(
      z.object({ url: z.string(), months: z.array(z.string()), files: count, bytes: count, isContained: z.boolean() }),
    )
    .optional(),
  files: z.array(z.object({ path: z.string(), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

/** What a backup says of itself. */
export type Manifest = z.infer<typeof manifest>;

/** The text of a manifest; its last member is the SHA-256 of the text without it. */
export function manifestText(content: Manifest): string {
  const sha256 = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return `${JSON.stringify({ ...content, sha256 }, null, 2)}\n`;
}

/** Reads what a backup says of itself. @throws StartError when it isn't one, isn't whole or was changed. */
export async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, MANIFEST);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = errorCode(error);
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    throw new StartError(
      "There is no whole backup",
      `${folder} has no ${MANIFEST}: it isn't the folder of a backup, or making it was cut short.`,
      "Name the folder of one that was made whole, fieldwatch-… with its time: `npm run restore -- --from FOLDER`",
    );
  }
  const found = manifest.safeParse(parsed(text));
  // Not a byte may differ, so that what it says is what was written.
  if (!found.success || manifestText(found.data) !== text) throw damaged(file, "it is not as it was written");
  return found.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Compares every file of a backup with its manifest. @throws StartError naming the first that differs. */
export async function verifyFiles(folder: string, { files }: Manifest): Promise<void> {
  for (const { path: name, bytes, sha256 } of files) {
    const file = path.join(folder, name);
    const found = await lstat(file).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") throw damaged(file, "it isn't there");
      throw error;
    });
    if (!found.isFile()) throw damaged(file, "it isn't a file");
    if (found.size !== bytes) throw damaged(file, `it has ${found.size} bytes instead of ${bytes}`);
    if ((await sha256Of(file)) !== sha256) throw damaged(file, "its bytes are not those that were written");
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}

function damaged(file: string, why: string): StartError {
  return new StartError(
    "The backup is damaged",
    `${file}: ${why}.`,
    `Take another backup, or copy this one again from where it came: ${command`npm run restore -- --from FOLDER`}`,
  );
}
