import { formatBytes } from "@/server/domain/bytes";
import path from "node:path";
import type { Pool } from "pg";
import { errorCode } from "@/server/postgres/start-error";
import { databaseTrouble } from "@/server/postgres/trouble";
import { formatDuration } from "@/server/domain/duration";
import { command, SafeText } from "@/server/domain/fix";
import type { EpochMs } from "@/server/domain/terms";
import { onceAtATime } from "@/server/async/once-at-a-time";
import { judgeClock } from "./clock";
import { keptFor } from "@/server/async/kept-for";
import { ask } from "./ask-postgres";
import { judgeMigrations, readApplied } from "./migrations";
import { type Finding, pass, type Probe, shortly } from "./probe";

export interface PostgresProbesDeps {
  readonly pool: Pool;
  readonly group: string;
  /** DATABASE_URL; null when Fieldwatch runs it itself, in `dataDir`. */
  readonly url: string | null;
  readonly dataDir: string;
  /** Names of the migrations this version brings. */
  readonly migrations: () => readonly string[];
  readonly now: () => EpochMs;
}

interface Server {
  readonly ms: number;
  readonly number: number;
  readonly version: string;
  readonly user: string;
  readonly database: string;
  readonly fsync: string;
  readonly fullPageWrites: string;
  readonly synchronousCommit: string;
  readonly readOnly: boolean;
  readonly standby: boolean;
  readonly connections: number;
  readonly most: number;
  readonly superuser: boolean;
}

const LEAST_VERSION = 150_000;
const SLOW_MS = 500;
const TIMEOUT_MS = 4000;
const MINUTE_MS = 60_000;

/** PostgreSQL answers, lets us in, keeps what it has confirmed, has the tables of this version and connections left, and agrees on the time. */
export function postgresProbes({ pool, group, url, dataDir, migrations, now }: PostgresProbesDeps): readonly Probe[] {
  const server = onceAtATime(() => readServer(pool));
  const bytes = keptFor(MINUTE_MS, now, () => readSize(pool));
  const remedy = (error: Error) => remedyOf(error, url, dataDir);
  const dependent = (error: Error): Finding => ({
    status: "unknown",
    summary: "Cannot be asked now.",
    cause: remedy(error).cause,
    fix: `First mend ${group}: see its failing probes.`,
  });
  const probe = (
    name: string,
    title: string,
    run: () => Promise<Finding>,
    whenDown: (error: Error) => Finding = dependent,
  ): Probe => ({ name: `postgres.${name}`, title, group, timeoutMs: TIMEOUT_MS, run, whenDown });
  return [
    probe(
      "reachable",
      "Answers",
      async () => judgeServer(await server(), url),
      (error) => {
        const { step, cause, fix } = remedy(error);
        if (step === "signIn") return pass("Answers.");
        return { status: "fail", summary: DOWN_SUMMARY[step], cause, fix };
      },
    ),
    probe(
      "signed-in",
      "Signed in",
      async () => {
        const { user, database } = await server();
        return pass(`Signed in as ${user} to the database "${database}".`);
      },
      (error) => {
        const { step, cause, fix } = remedy(error);
        if (step !== "signIn") return dependent(error);
        return { status: "fail", summary: "PostgreSQL does not let Fieldwatch in.", cause, fix };
      },
    ),
    probe("durable", "Keeps what it confirmed", async () => judgeDurability(await server())),
    probe("writable", "Can be written to", async () => judgeWritable(await server())),
    probe("migrations", "Tables are up to date", async () => judgeMigrations(await readApplied(pool), migrations())),
    probe("privileges", "Has no more rights than it needs", async () => judgePrivileges(await server())),
    probe("connections", "Connections", async () => judgeConnections(await server())),
    probe("size", "Size", async () => pass(`The database takes ${formatBytes(await bytes())}.`)),
    probe("clock", "Clock agrees", async () => {
      const before = now();
      const rows = await ask<{ time: Date }>(pool, "SELECT clock_timestamp() AS time");
      return judgeClock("PostgreSQL", { before, after: now(), theirs: rows[0]!.time.getTime() });
    }),
  ];
}

type Step = "reach" | "ready" | "signIn" | "room";

const DOWN_SUMMARY: Readonly<Record<Exclude<Step, "signIn">, string>> = {
  reach: "PostgreSQL does not answer.",
  ready: "PostgreSQL is starting up or shutting down.",
  room: "PostgreSQL has no room left.",
};

function remedyOf(error: Error, url: string | null, dataDir: string): { step: Step; cause: string; fix: string } {
  if (url !== null) {
    const known = databaseTrouble(error, url);
    if (known) return { step: known.step, cause: known.why, fix: known.fix };
    return { step: "reach", cause: shortly(error), fix: "Read PostgreSQL's log for this error." };
  }
  const fix = `Read the end of ${path.join(dataDir, "postgres.log")}, then stop Fieldwatch and run: ${command`npm start`}`;
  const starting = errorCode(error)?.startsWith("57P") === true;
  return { step: starting ? "ready" : "reach", cause: shortly(error), fix };
}

async function readServer(pool: Pool): Promise<Server> {
  // Connects, if need be, before the time is taken.
  await ask(pool, "SELECT 1");
  const began = performance.now();
  const rows = await ask<Omit<Server, "ms">>(
    pool,
    `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       current_user AS "user", current_database() AS database, current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS "fullPageWrites", current_setting('synchronous_commit') AS "synchronousCommit",
       pg_is_in_recovery() AS standby, current_setting('transaction_read_only')::bool AS "readOnly",
       -- Of other users only this much is told.
       (SELECT count(*) FROM pg_stat_activity
        WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL))::int AS connections,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most`,
  );
  return { ...rows[0]!, ms: performance.now() - began };
}

async function readSize(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>("SELECT pg_database_size(current_database())::float8 AS bytes");
  return rows[0]!.bytes;
}

function judgePrivileges({ superuser, user }: Server): Finding {
  if (!superuser) return pass(`${user} is no superuser.`);
  return {
    status: "warn",
    summary: `${user} is a superuser.`,
    cause:
      "Whoever could make Fieldwatch run a statement of theirs could run programs on PostgreSQL's machine and change the audit record.",
    fix: `Keep ${command`${user}`} for migrations: set MIGRATION_DATABASE_URL to what DATABASE_URL is now, and DATABASE_URL to a user of a new name and password, which is made at the next start.`,
  };
}

function judgeServer({ number, version, ms }: Server, url: string | null): Finding {
  if (number < LEAST_VERSION) {
    return {
      status: "fail",
      summary: `PostgreSQL ${version} is too old.`,
      cause: "Fieldwatch needs 15 or later.",
      fix: "Upgrade PostgreSQL, or unset DATABASE_URL.",
    };
  }
  if (ms > SLOW_MS) {
    return {
      status: "warn",
      summary: `PostgreSQL answers slowly: ${Math.round(ms)} ms.`,
      cause: "PostgreSQL or its machine is busy.",
      fix: "Look at the load of the machine PostgreSQL runs on, and at pg_stat_activity for long queries.",
    };
  }
  const at = url === null ? "" : ` at ${new URL(url).host}`;
  return pass(`PostgreSQL ${version}${at} answers in ${formatDuration(ms)}.`);
}

function judgeDurability(server: Pick<Server, "fsync" | "fullPageWrites" | "synchronousCommit">): Finding {
  const settings = [
    ["fsync", server.fsync],
    ["full_page_writes", server.fullPageWrites],
    ["synchronous_commit", server.synchronousCommit],
  ] as const;
  const off = settings.filter(([, value]) => value === "off").map(([name]) => name);
  if (off.length === 0) return pass("What it confirmed is on the disk (fsync, full_page_writes, synchronous_commit).");
  return {
    status: "warn",
    summary: `${off.join(", ")} ${off.length === 1 ? "is" : "are"} off.`,
    cause: "When PostgreSQL's machine loses power, readings it had confirmed can be lost or damaged.",
    fix: command`${new SafeText(off.map((name) => `ALTER SYSTEM SET ${name} = on;`).join(" "))} SELECT pg_reload_conf();`,
  };
}

function judgeWritable({ standby, readOnly }: Pick<Server, "standby" | "readOnly">): Finding {
  if (!standby && !readOnly) return pass("The primary takes writes.");
  return {
    status: "fail",
    summary: "PostgreSQL is read-only.",
    cause: standby
      ? "The server of DATABASE_URL is a standby."
      : "Its transactions are read-only by default (default_transaction_read_only).",
    fix: standby
      ? "Point DATABASE_URL at the primary, or promote this server: `SELECT pg_promote();`"
      : "`ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf();` or the same with ALTER ROLE or ALTER DATABASE, where it was set.",
  };
}

function judgeConnections({ connections, most }: Pick<Server, "connections" | "most">): Finding {
  const words = `${connections} of ${most} are used.`;
  if (connections < most * 0.9) return pass(words);
  return {
    status: "warn",
    summary: words,
    cause: "PostgreSQL is nearly out of connections; then Fieldwatch can't reconnect.",
    fix: "`ALTER SYSTEM SET max_connections = 200;` then restart PostgreSQL. Or lower DATABASE_POOL_SIZE.",
  };
}
