import { existsSync } from "node:fs";
import { chmod, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { auditFiles } from "@/server/config/audit-files";
import type { Config } from "@/server/config/config";
import { makeFolder } from "@/server/config/make-folder.mjs";
import { counted } from "@/server/domain/counted";
import type { Logger } from "@/server/observability/logger";
import { folderError } from "@/server/postgres/embedded/data-folder";
import { refuseOwned } from "@/server/postgres/embedded/owner";
import { readMigrations } from "@/server/postgres/migrate";
import { StartError } from "@/server/postgres/start-error";
import type { ColdStore } from "@/server/ports/cold-store";
import { bringCold, COLD } from "./cold-files";
import { writeLastBackup } from "./last-backup";
import { type Counts, type Manifest, readManifest, verifyFiles } from "./manifest";
import { readRestoreOptions } from "./options";
import { type Means, tryOut, unpack } from "./restored";
import { bytesBelow, keepRoom } from "./room";

const PARTIAL = "restore.partial";

/**
 * `npm run restore -- --from DIR`: makes the data folder of a backup, which must be empty, after comparing every byte; starts its PostgreSQL
 * once, brings it up to date and counts.
 * @returns the exit code: 1 if the audit record isn't as it was sealed, or can't be told.
 * @throws StartError when it can't be restored; then the data folder is as empty as before.
 */
export async function runRestore(config: Config, logger: Logger, argv: string[], means: Means): Promise<number> {
  const began = performance.now();
  const from = readRestoreOptions(argv);
  const { dataDir } = config;
  if (config.engines.DATABASE_URL !== undefined)
    throw new StartError(
      "This restores the embedded PostgreSQL only",
      "DATABASE_URL names a PostgreSQL of yours, which has its own tools.",
      "Leave DATABASE_URL out for this command. For your own engines see docs/backup.md",
    );
  await refuseUsed(dataDir);
  const manifest = await readManifest(from);
  refuseNewer(manifest);
  await verifyFiles(from, manifest);
  const coldFiles = manifest.files.filter(({ path: file }) => file.startsWith(`${COLD}/`));
  const cold = coldFiles.length > 0 ? await coldStore(config, means) : null;

  const partial = path.join(dataDir, PARTIAL);
  await explained(dataDir, () => makeFolder(dataDir, 0o711));
  await chmod(dataDir, 0o711);
  await rm(partial, { recursive: true, force: true });
  try {
    await keepRoom(dataDir, manifest.unpackedBytes);
    await unpack(from, partial);
    const { keyFile, makesKey } = auditFiles(config);
    const found = await tryOut(partial, {
      ...{ means, logger },
      keyFile: makesKey ? path.join(partial, path.basename(keyFile)) : keyFile,
      compare: (rows, counts) => compare(manifest.counts, { ...counts, rows }),
      then: async (tx) => {
        const { time, version } = manifest;
        const detail = { from, time, version };
        // Documents elsewhere go on from where they were, and the restored log hands out the same offsets once more.
        if (config.engines.MONGODB_URI !== undefined) await means.beginEpochs(tx);
        if (cold !== null) await means.moveCold(tx, cold.url);
        await means.note(tx, { verb: "restoreBackup", target: path.basename(from), outcome: "done", detail });
      },
    });
    if (cold !== null) await bringCold(from, coldFiles, cold);
    writeLastBackup(partial, {
      made: { time: manifest.time, folder: from, bytes: await bytesBelow(from) },
      failed: null,
    });
    // The cluster last: without it there is no data folder.
    const names = (await readdir(partial)).filter((name) => name !== "postgres");
    for (const name of [...names, "postgres"]) await rename(path.join(partial, name), path.join(dataDir, name));
    await rm(partial, { recursive: true });
    await chmod(dataDir, 0o700);
    say(dataDir, manifest, found, cold?.url ?? "", (performance.now() - began) / 1000);
    return found.audit.isGood ? 0 : 1;
  } catch (error) {
    if (!existsSync(path.join(dataDir, "postgres"))) await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** @throws StartError when there is none. */
async function coldStore(config: Config, means: Means): Promise<ColdStore> {
  const store = await means.openCold(config);
  if (store !== null) return store;
  throw new StartError(
    "The backup has files of cold storage, and there is no place for them",
    "COLD_URL isn't set.",
    "Name a folder or bucket of its own, and keep it for `npm start`: `COLD_URL=file:///path/to/folder npm run restore -- --from FOLDER`",
  );
}

async function refuseUsed(dataDir: string): Promise<void> {
  refuseOwned(dataDir);
  const found = existsSync(dataDir) ? await explained(dataDir, () => readdir(dataDir)) : [];
  const there = found.filter((name) => name !== PARTIAL);
  if (there.length === 0) return;
  throw new StartError(
    "The data folder isn't empty",
    `${dataDir} has ${there.slice(0, 3).join(", ")}${there.length > 3 ? ", …" : ""}. A backup is restored into a new folder, so that nothing is overwritten.`,
    `Put it aside, or choose another one:\n  mv ${dataDir} ${dataDir}-before\n  \`FIELDWATCH_DATA_DIR=/path/to/folder npm run restore -- --from FOLDER\``,
  );
}

async function explained<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw folderError(dataDir, error, "npm run restore -- --from FOLDER");
  }
}

function refuseNewer({ version, schema }: Manifest): void {
  if (readMigrations().some(({ name }) => name === schema)) return;
  throw new StartError(
    "The backup is of a newer Fieldwatch",
    `It was made by version ${version}, whose database is at ${schema}, which this one doesn't know.`,
    "Restore it with that version or a later one.",
  );
}

/** @throws StartError naming what isn't as many as it was. */
function compare(wanted: Counts, found: Counts): void {
  const rows = Object.entries(wanted.rows).map(([table, n]): [string, number, number] => [
    `rows of ${table}`,
    n,
    found.rows[table] ?? 0,
  ]);
  const others: [string, number, number][] = [
    ["messages handled", wanted.handled.messages, found.handled.messages],
    ["readings handled", wanted.handled.readings, found.handled.readings],
    ["dead letters", wanted.handled.deadLetters, found.handled.deadLetters],
    ["readings", wanted.readings, found.readings],
    ["messages in the outbox", wanted.outbox, found.outbox],
  ];
  const wrong = [...others, ...rows].filter(([, before, now]) => before !== now);
  if (wrong.length === 0) return;
  throw new StartError(
    "What was restored isn't what was backed up",
    wrong.map(([what, before, now]) => `${what}: ${now} instead of ${before}`).join("\n"),
    "Nothing was kept of it. Restore another backup, and tell us: this must not happen.",
  );
}

function say(
  dataDir: string,
  { time, version, counts, cold = [], notContained }: Manifest,
  { migrated, audit }: Awaited<ReturnType<typeof tryOut>>,
  coldUrl: string,
  seconds: number,
): void {
  const { handled, readings, outbox } = counts;
  const lines = [
    `${dataDir}`,
    `  restored in ${seconds.toFixed(1)} s from the backup of ${time}, made by version ${version}.`,
    `  Counted again, as many as then: ${counted(handled.messages, "message")} handled, ${counted(readings, "reading")} in PostgreSQL, ${counted(handled.deadLetters, "dead letter")}; ${counted(outbox, "message")} in the simulator's outbox.`,
    ...(migrated.length === 0 ? [] : [`  Brought up to date by ${counted(migrated.length, "migration")}.`]),
    ...cold
      .filter(({ isContained }) => isContained)
      .map(({ files, url }) => `  ${counted(files, "file")} of cold storage, which was ${url}, brought to ${coldUrl}.`),
    ...audit.lines.map((line) => `  Audit record: ${line.trim()}`),
    `  Not restored, as it isn't in the backup: ${notContained.join("; ")}.`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
