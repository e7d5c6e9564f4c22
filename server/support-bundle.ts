import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { arch, availableParallelism, freemem, release, totalmem, type } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import type { Pool } from "pg";
import { namesIn } from "./compose-health";
import { type Config, redacted, secretsIn } from "./config/config";
import { readVersion } from "./config/version";
import { formatBytes } from "./domain/bytes";
import { checkOnce } from "./doctor";
import { shortly } from "./health/probe";
import type { Logger } from "./observability/logger";
import { connectDatabase } from "./postgres/connection";
import { readMigrations } from "./postgres/migrate";
import { StartError } from "./postgres/start-error";

/** The end of a log that is taken, in bytes. */
const LOG_BYTES = 2 * 1024 * 1024;
/** The time each question to the database may take, in milliseconds. */
const ANSWER_MS = 10_000;
const HIDDEN = "…";
/** Addresses of people and machines, wherever they stand. */
const ADDRESSES = [
  /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/g,
  /(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])/gi,
];

/**
 * What is asked of the database: figures and states, no reading, no message, no name of a device, a site or a person.
 */
const QUESTIONS = {
  version: "SELECT version()",
  migrations:
    "SELECT migration_name AS name, finished_at, rolled_back_at FROM _prisma_migrations ORDER BY started_at DESC LIMIT 20",
  tables: `SELECT relname AS name, pg_total_relation_size(oid)::float8 AS bytes, reltuples::float8 AS rows FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC LIMIT 60`,
  settings:
    "SELECT name, setting, unit FROM pg_settings WHERE source NOT IN ('default', 'override') AND name !~ 'file|directory|address|preload|path|command' ORDER BY 1",
  activity: `SELECT application_name ~ '^fieldwatch' AS ours, state, wait_event_type, count(*)::integer AS n, max(now() - xact_start)::text AS longest
    FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1, 2, 3`,
  counts: `SELECT (SELECT count(*) FROM device)::integer AS devices, (SELECT count(*) FROM metric)::integer AS metrics,
    (SELECT count(*) FROM site)::integer AS sites, (SELECT count(*) FROM source)::integer AS sources, (SELECT count(*) FROM alert_rule)::integer AS rules`,
  positions:
    "SELECT epoch, partition, next::float8, messages::float8, readings::float8, duplicates::float8, conflicts::float8, dead_letters::float8 FROM pipeline_position ORDER BY 1, 2",
  deadLetters: `SELECT reason, status, count(*)::integer AS n, max(ingest_time) AS newest FROM dead_letter
    WHERE ingest_time > now() - interval '7 days' GROUP BY 1, 2 ORDER BY 3 DESC`,
  events: `SELECT kind, CASE WHEN kind IN ('probe', 'process', 'lag') THEN key END AS key, severity, started_at, ended_at FROM event
    WHERE kind <> 'note' AND started_at > now() - interval '7 days' ORDER BY started_at DESC LIMIT 500`,
  jobs: `SELECT job, state, trigger, attempt, done::float8, total::float8, created_at, started_at, finished_at, error FROM job_run ORDER BY created_at DESC LIMIT 200`,
} as const;

/**
 * `npm run support-bundle [-- --log FILE] [--out FILE]`: what somebody who helps has to know, in one file (JSON, gzipped): versions, settings without
 * secrets, health, figures of the database, and the end of a log if one is named. Passwords, keys, addresses, and the hosts and users of the
 * configuration are left out of every text. @returns the exit code
 */
export async function runSupportBundle(
  config: Config,
  logger: Logger,
  argv: string[],
  say: (line: string) => void,
): Promise<number> {
  const { log, out = `fieldwatch-support-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.json.gz` } =
    readOptions(argv);
  const hide = createHide(config);
  const bundle = {
    about: {
      ...{ made: new Date().toISOString(), version: readVersion(), node: process.version },
      ...{ system: `${type()} ${release()} ${arch()}`, cores: availableParallelism() },
      ...{ memory: totalmem(), free: freemem() },
    },
    settings: redacted(config),
    health: await checkOnce(config, logger).catch(inWords),
    known: readMigrations()
      .map(({ name }) => name)
      .slice(-20),
    database: await askDatabase(config, logger),
    log: log === undefined ? null : endOf(log).split("\n"),
  };
  const text = JSON.stringify(hidden(bundle, hide), null, 1);
  try {
    writeFileSync(out, gzipSync(text), { mode: 0o600 });
  } catch (error) {
    throw new StartError(
      "The support bundle can't be written",
      `${path.resolve(out)}: ${(error as Error).message}.`,
      "Name a file in a folder that is there and can be written to: `npm run support-bundle -- --out /path/to/file.json.gz`",
      { cause: error },
    );
  }
  say(`${path.resolve(out)} (${formatBytes(Buffer.byteLength(text))} of text)`);
  say("It holds versions, settings, health, figures of the database and its tables, runs of jobs and kinds of events;");
  say(
    "no reading, no message, and no name of a device, a site or a person, unless a log or an error says one. Look before you send it:",
  );
  say(`  gunzip --stdout ${path.basename(out)} | less`);
  return 0;
}

function readOptions(argv: string[]): { log?: string; out?: string } {
  try {
    return parseArgs({ args: argv, options: { log: { type: "string" }, out: { type: "string" } } }).values;
  } catch (error) {
    throw new StartError(
      "Nothing was collected",
      (error as Error).message,
      "`npm run support-bundle -- --log fieldwatch.log`",
    );
  }
}

async function askDatabase(config: Config, logger: Logger): Promise<Record<string, unknown>> {
  let pool: Pool;
  try {
    ({ pool } = connectDatabase(config, "command", logger));
  } catch (error) {
    return { error: inWords(error) };
  }
  const answers: Record<string, unknown> = {};
  try {
    for (const [name, text] of Object.entries(QUESTIONS))
      answers[name] = await pool
        .query({ text, query_timeout: ANSWER_MS } as { text: string })
        .then(({ rows }) => rows as unknown[], inWords);
    return answers;
  } finally {
    await pool.end();
  }
}

const inWords = (error: unknown) => shortly(error as Error);

/** The last lines of a file. @throws StartError when it can't be read */
function endOf(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (error) {
    throw new StartError(
      "Nothing was collected",
      `--log names ${file}: ${(error as Error).message}.`,
      "Name a file that can be read.",
    );
  }
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(0, size - LOG_BYTES);
    const bytes = Buffer.alloc(size - from);
    const length = readSync(descriptor, bytes, 0, bytes.length, from);
    const text = bytes.toString("utf8", 0, length);
    // A line that was cut is none.
    return from === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes what takes secrets, addresses and the configuration's hosts and users out of a text. */
function createHide(config: Config): (text: string) => string {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, TRACE_URL } = config.tracing;
  const tracing = [OTEL_EXPORTER_OTLP_ENDPOINT, TRACE_URL].flatMap(
    (url) => /^\w+:\/\/([^/:?#]+)/.exec(url ?? "")?.[1] ?? [],
  );
  const names = [...namesIn(config), ...tracing].filter((name) => name !== "localhost");
  // The longest first: of two of which one begins the other, nothing may be left.
  const known = [...secretsIn(config), ...names].toSorted((a, b) => b.length - a.length);
  return (text) => {
    const rest = known.reduce((left, one) => left.replaceAll(one, HIDDEN), text);
    return ADDRESSES.reduce((left, shape) => left.replace(shape, HIDDEN), rest);
  };
}

/** The same value with every text in it made fit; names of fields stay. */
function hidden(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === "string") return hide(value);
  if (Array.isArray(value)) return value.map((one) => hidden(one, hide));
  if (value instanceof Date) return value.toISOString();
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, hidden(own, hide)]));
}
