import path from "node:path";
import type { Pool } from "pg";
import type { EpochMs } from "@/server/domain/terms";
import { counted, type Finding, pass, type Probe, shortly } from "./probe";

export interface PostgresProbesDeps {
  readonly pool: Pool;
  readonly group: string;
  /** Whether Fieldwatch runs it itself, in `dataDir`. */
  readonly embedded: boolean;
  readonly dataDir: string;
  /** Names of the migrations this version brings. */
  readonly migrations: () => readonly string[];
  readonly now: () => EpochMs;
}

const LEAST_VERSION = 150_000;
const SLOW_MS = 250;

/** PostgreSQL answers, is new enough, has the tables of this version, and agrees on the time. */
export function postgresProbes({
  pool,
  group,
  embedded,
  dataDir,
  migrations,
  now,
}: PostgresProbesDeps): readonly Probe[] {
  const logFile = path.join(dataDir, "postgres.log");
  return [
    {
      name: "postgres.reachable",
      title: "Answers",
      group,
      timeoutMs: 3000,
      async run() {
        const began = performance.now();
        const { rows } = await pool.query<{ number: string; version: string }>(
          "SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version",
        );
        const ms = performance.now() - began;
        const { number, version } = rows[0]!;
        if (Number(number) < LEAST_VERSION) {
          return {
            status: "fail",
            summary: `PostgreSQL ${version} is too old.`,
            cause: "Fieldwatch needs 15 or later.",
            fix: "Upgrade PostgreSQL, or unset DATABASE_URL.",
          };
        }
        if (ms > SLOW_MS) {
          const fix = "Look at the load of the machine PostgreSQL runs on, and at pg_stat_activity for long queries.";
          return {
            status: "warn",
            summary: `Answers slowly: ${Math.round(ms)} ms.`,
            cause: "PostgreSQL or its machine is busy.",
            fix,
          };
        }
        return pass(`PostgreSQL ${version} answers in ${ms.toFixed(1)} ms.`);
      },
      whenDown: (error): Finding => ({
        status: "fail",
        summary: "PostgreSQL does not answer.",
        cause: shortly(error),
        fix: embedded
          ? `Read the end of ${logFile}, then stop Fieldwatch and run: npm start`
          : "Start PostgreSQL, and check the host, port and password of DATABASE_URL.",
      }),
    },
    {
      name: "postgres.migrations",
      title: "Tables are up to date",
      group,
      timeoutMs: 3000,
      async run() {
        const { rows } = await pool.query<{ name: string }>(
          "SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
        );
        const applied = new Set(rows.map(({ name }) => name));
        const wanted = migrations();
        const missing = wanted.filter((name) => !applied.has(name));
        if (missing.length === 0) return pass(`${counted(wanted.length, "migration")} applied, none missing.`);
        return {
          status: "fail",
          summary: `${counted(missing.length, "migration")} not applied.`,
          cause: missing.join(", "),
          fix: "npm run migrate",
        };
      },
    },
    {
      name: "postgres.clock",
      title: "Clock agrees",
      group,
      timeoutMs: 3000,
      async run() {
        const before = now();
        const { rows } = await pool.query<{ time: Date }>("SELECT clock_timestamp() AS time");
        const after = now();
        const theirs = rows[0]!.time.getTime();
        // Anything between asking and the answer is no difference.
        const differenceMs = theirs < before ? theirs - before : Math.max(0, theirs - after);
        const words = `${(Math.abs(differenceMs) / 1000).toFixed(1)} s ${differenceMs < 0 ? "behind" : "ahead"}`;
        if (Math.abs(differenceMs) <= 2000) return pass("The clocks here and there agree.");
        return {
          status: Math.abs(differenceMs) > 60_000 ? "fail" : "warn",
          summary: `PostgreSQL's clock is ${words}.`,
          cause: "One of the two machines does not keep time; lag and device states are off by as much.",
          fix: "Turn on time synchronisation on both machines, e.g.: timedatectl set-ntp true",
        };
      },
    },
  ];
}
