import { existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Pool } from "pg";
import { auditFiles } from "@/server/config/audit-files";
import { type Config, redacted } from "@/server/config/config";
import { makeFolder } from "@/server/config/make-folder.mjs";
import { readVersion } from "@/server/config/version";
import { counted } from "@/server/domain/counted";
import type { Logger } from "@/server/observability/logger";
import { createPool, ownerConnection } from "@/server/postgres/connection";
import { connectionStringOf } from "@/server/postgres/client";
import { startEmbeddedPostgres } from "@/server/postgres/embedded/embedded-postgres";
import { ownerOf } from "@/server/postgres/embedded/owner";
import { isAlive } from "@/server/postgres/embedded/processes";
import { errorCode, StartError } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";
import type { ColdStore } from "@/server/ports/cold-store";
import { COLD, coldOf, copyCold, type KeptFile, settleCold } from "./cold-files";
import { packCluster } from "./cluster";
import { closeToOthers, copyFirst, copyLast } from "./data-files";
import { readLastBackup, writeLastBackup } from "./last-backup";
import { CLUSTER, FILES, type Manifest, MANIFEST, manifestText, readManifest, sha256Of } from "./manifest";
import { readBackupOptions } from "./options";
import { type AuditVerdict, type Means, tryOut, unpack } from "./restored";
import { bytesBelow, keepRoom, sizeOf } from "./room";

/** A backup under way: the name, and who makes it. */
const PARTIAL = /^[.]partial-(\d+)-/;

interface Made {
  /** Where it lies: its name is another's when a backup of the same second was there first. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly bytes: number;
  readonly audit: AuditVerdict;
}

/**
 * `npm run backup [-- --to DIR] [--keep N] [--with-cold]`: writes a backup of the embedded PostgreSQL and the data folder while everything runs, restores it beside,
 * counts what is in it, and only then gives it its name. Notes it in the audit record and for health.
 * @throws StartError when there is none to be made, or no room.
 */
export async function runBackup(config: Config, logger: Logger, argv: string[], means: Means): Promise<void> {
  const began = performance.now();
  const { to, keep, withCold } = readBackupOptions(argv, config.dataDir);
  const { dataDir } = config;
  refuseOutside(config);
  const time = new Date().toISOString();
  const name = `fieldwatch-${time.slice(0, 19).replaceAll(":", "-")}Z`;
  const last = readLastBackup(dataDir);
  const server = await connectTo(config, logger);
  const pool = createPool(server.owner, { role: "backup", logger, size: 1 });
  try {
    const attempt = await withTransaction(pool, (tx) =>
      means.note(tx, { verb: "makeBackup", target: name, outcome: "tried", detail: { to } }),
    );
    const settle = (outcome: "done" | "failed", detail: object) =>
      withTransaction(pool, (tx) => means.note(tx, { verb: "makeBackup", target: name, outcome, detail, attempt }));
    try {
      const made = await make({
        config,
        logger,
        means,
        version: readVersion(),
        to,
        name,
        time,
        withCold,
        owner: server.owner,
        pool,
      });
      const { folder, bytes } = made;
      await settle("done", { bytes, folder, sha256: await sha256Of(path.join(folder, MANIFEST)) });
      writeLastBackup(dataDir, { made: { time, folder, bytes }, failed: null });
      say(folder, made, (performance.now() - began) / 1000);
      if (keep !== null) await removeOlder(to, made.manifest.cluster, keep);
    } catch (error) {
      const why = error instanceof StartError ? `${error.what}: ${error.why}` : String(error);
      writeLastBackup(dataDir, { made: last?.made ?? null, failed: { time, why } });
      await settle("failed", { why }).catch((failure: unknown) =>
        logger.error({ err: failure }, "not noted in the audit record"),
      );
      throw error;
    }
  } finally {
    await pool.end();
    await server.stop();
  }
}

/** The running server, or one for the time. */
async function connectTo(config: Config, logger: Logger): Promise<{ owner: string; stop: () => Promise<void> }> {
  const { dataDir } = config;
  if (ownerOf(dataDir) !== undefined)
    return { owner: connectionStringOf(ownerConnection(config)), stop: async () => {} };
  if (!existsSync(path.join(dataDir, "postgres", "PG_VERSION")))
    throw new StartError(
      "There is nothing to back up",
      `${dataDir} isn't the data folder of a Fieldwatch that was started.`,
      "Name it: `FIELDWATCH_DATA_DIR=/path/to/folder npm run backup`",
    );
  const postgres = await startEmbeddedPostgres({ dataDir, logger });
  return { owner: postgres.ownerConnectionString, stop: () => postgres.stop(60_000) };
}

async function make(parts: {
  config: Config;
  logger: Logger;
  means: Means;
  version: string;
  to: string;
  name: string;
  time: string;
  withCold: boolean;
  owner: string;
  pool: Pool;
}): Promise<Made> {
  const { config, logger, means, version, to, name, time, withCold, owner, pool } = parts;
  const { keyFile, anchorFile, makesKey } = auditFiles(config);
  await makeTarget(to);
  await keepRoom(to, await bytesBelow(config.dataDir));
  const unfinished = path.join(to, `.partial-${process.pid}-${name}`);
  await mkdir(unfinished, { mode: 0o711 });
  try {
    const files = path.join(unfinished, FILES);
    await mkdir(files, { mode: 0o700 });
    await copyFirst(config.dataDir, anchorFile, files);
    const cluster = await systemOf(pool);
    const packed = await packCluster(owner, path.join(unfinished, CLUSTER));
    const { COLD_URL: place } = config.cold;
    const cold = path.join(unfinished, COLD);
    if (withCold)
      await copyCold(
        await coldStore(config, means),
        await withTransaction(pool, (tx) => means.coldFiles(tx, true)),
        cold,
      );
    // Files of cold storage are in it as such, or not at all.
    await copyLast(config.dataDir, files, [to, ...(place?.kind === "folder" ? [path.resolve(place.folder)] : [])]);
    await closeToOthers(files);
    const unpackedBytes = packed.unpackedBytes + (await bytesBelow(files));

    const rehearsal = path.join(unfinished, "rehearsal");
    await keepRoom(to, unpackedBytes);
    await unpack(unfinished, rehearsal);
    const found = await tryOut(rehearsal, {
      ...{ means, logger },
      keyFile: makesKey ? path.join(rehearsal, path.basename(keyFile)) : keyFile,
    });
    await rm(rehearsal, { recursive: true });
    if (withCold) await settleCold(cold, found.cold);

    const manifest: Manifest = {
      ...{ format: 1, version, time, cluster, schema: found.schema, unpackedBytes, counts: found.counts },
      settings: redacted(config),
      notContained: notContained(config, makesKey ? null : keyFile, withCold ? [] : found.cold),
      cold: coldOf(found.cold, withCold),
      files: [
        { path: CLUSTER, bytes: packed.bytes, sha256: packed.sha256 },
        ...(await listFiles(unfinished, FILES)),
        ...(withCold ? await listFiles(unfinished, COLD) : []),
      ],
    };
    await writeFile(path.join(unfinished, MANIFEST), manifestText(manifest), { mode: 0o600, flush: true });
    await closeToOthers(unfinished);
    const folder = await giveName(unfinished, path.join(to, name));
    await flushFolder(to);
    return { folder, manifest, bytes: await bytesBelow(folder), audit: found.audit };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT") await keepRoom(to, Number.MAX_SAFE_INTEGER);
    throw error;
  }
}

/**
 * Several that cron starts in one second in one folder, as of two products, are all kept: the later ones get a number.
 * @returns the folder it has now.
 */
async function giveName(unfinished: string, wanted: string): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      await rename(unfinished, folder);
      return folder;
    } catch (error) {
      if (errorCode(error) !== "ENOTEMPTY" && errorCode(error) !== "EEXIST") throw error;
    }
  }
}

/** Makes the folder of backups, and takes out what backups that were killed left there. */
async function makeTarget(to: string): Promise<void> {
  try {
    await makeFolder(to, 0o711);
    for (const name of await readdir(to)) {
      const pid = PARTIAL.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) await rm(path.join(to, name), { recursive: true, force: true });
    }
  } catch (error) {
    throw new StartError(
      "The backup can't be written",
      `${to}: ${(error as Error).message}.`,
      "Name a folder that can be written to: `npm run backup -- --to /path/to/folder`",
      { cause: error },
    );
  }
}

async function systemOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>("SELECT system_identifier::text AS id FROM pg_control_system()");
  return rows[0]!.id;
}

async function listFiles(root: string, folder: string): Promise<Manifest["files"]> {
  const found: Manifest["files"] = [];
  for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await listFiles(root, name)));
    else {
      const file = path.join(root, name);
      found.push({ path: name, bytes: (await stat(file)).size, sha256: await sha256Of(file) });
    }
  }
  return found;
}

/** What was renamed is there also after a power cut. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function refuseOutside({ engines }: Config): void {
  if (engines.DATABASE_URL === undefined) return;
  throw new StartError(
    "This backs up the embedded PostgreSQL only",
    "DATABASE_URL names a PostgreSQL of yours, which has its own tools.",
    "docs/backup.md has the commands, and their order: `pg_basebackup --pgdata=FOLDER --format=tar --gzip`",
  );
}

/** @throws StartError when there is none. */
async function coldStore(config: Config, means: Means): Promise<ColdStore> {
  const store = await means.openCold(config);
  if (store !== null) return store;
  throw new StartError(
    "No backup was made",
    "--with-cold: there is no cold storage, as COLD_URL isn't set.",
    "Set COLD_URL as for `npm start`, or leave --with-cold out.",
  );
}

function notContained(
  { engines, secretFiles, access }: Config,
  auditKey: string | null,
  cold: readonly KeptFile[],
): string[] {
  return [
    ...coldOf(cold, false).map(({ url, months, files }) => {
      const span = months.length === 1 ? months[0] : `${months[0]} to ${months.at(-1)}`;
      return `readings in cold storage: ${counted(files, "file")} of ${counted(months.length, "month")} (${span}) at ${url}`;
    }),
    ...(engines.KAFKA_BROKERS === undefined ? [] : ["the event log, which is in Kafka"]),
    ...(engines.MONGODB_URI === undefined
      ? []
      : ["messages, twins and dead letters, which are in MongoDB: back it up after this"]),
    ...(auditKey === null ? [] : [`the audit record's key, ${auditKey}`]),
    ...(access.SECRETS_KEY_FILE === undefined
      ? []
      : [`the key of the passwords of sources, ${access.SECRETS_KEY_FILE}`]),
    ...Object.entries(secretFiles).map(([variable, file]) => `the file of ${variable}, ${file}`),
    "the environment and .env with their secrets",
  ];
}

/** Removes whole backups of the same cluster but the newest few. */
async function removeOlder(to: string, cluster: string, keep: number): Promise<void> {
  const names = (await readdir(to))
    .filter((name) => /^fieldwatch-\d{4}-/.test(name))
    .sort()
    .reverse();
  let seen = 0;
  for (const name of names) {
    const folder = path.join(to, name);
    const one = await readManifest(folder).catch(() => null);
    if (one?.cluster !== cluster || ++seen <= keep) continue;
    await rm(folder, { recursive: true });
    process.stdout.write(`Removed ${folder}: ${counted(keep, "newer one")} ${keep === 1 ? "is" : "are"} kept.\n`);
  }
}

function say(folder: string, { manifest, bytes, audit }: Made, seconds: number): void {
  const { handled, readings, outbox } = manifest.counts;
  const lines = [
    `${folder}`,
    `  made in ${seconds.toFixed(1)} s: ${sizeOf(bytes)}, ${sizeOf(manifest.unpackedBytes)} restored. It was restored beside, started and counted:`,
    `  ${counted(handled.messages, "message")} handled, ${counted(readings, "reading")} in PostgreSQL, ${counted(handled.deadLetters, "dead letter")}; ${counted(outbox, "message")} in the simulator's outbox.`,
    ...audit.lines.map((line) => `  Audit record: ${line.trim()}`),
    ...(manifest.cold ?? [])
      .filter(({ isContained }) => isContained)
      .map(({ files, url, bytes: size }) => `  ${counted(files, "file")} of cold storage at ${url}, ${sizeOf(size)}.`),
    `  It holds all accounts, keys and passwords: whoever reads it can be anybody. Not in it: ${manifest.notContained.join("; ")}.`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
