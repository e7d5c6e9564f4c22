import { afterAll, beforeAll, beforeEach } from "vitest";
import type { PipelineDeps } from "@/server/pipeline/pipeline";
import { freshDatabase, type TestDatabase } from "./database";
import { createRig, createScriptedLog, type ScriptedLog } from "./pipeline-rig";

/** Sums of all positions. */
interface Totals {
  readonly messages: number;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly deadLetters: number;
  readonly skipped: number;
}

const TABLES = `sample, text_run, rollup_minute, rollup_hour, pipeline_position, pipeline_rate, pipeline_refused, message_archive, archive_fresh, archive_block, device_twin,
  dead_letter, resend_settlement, alert_rule, alert_rule_version, alert_state, alert, alert_recheck, telemetry_open, device, metric, site`;

/** Gives a test file a database, emptied before each test, and each test a log of its own. Call it at the file's top level. */
export function pipelineBench({ partitions = 2 } = {}) {
  let db: TestDatabase;
  let log: ScriptedLog;
  let logs = 0;
  const bench = {
    get db() {
      return db;
    },
    get pool() {
      return db.pool;
    },
    get log() {
      return log;
    },
    /** Empties all tables and begins another log. */
    async renew(): Promise<void> {
      log = createScriptedLog(`cluster-${logs++}`, partitions);
      // Sources may have a site: they go with all that refers to it.
      await db.pool.query(
        `TRUNCATE ${TABLES} CASCADE; INSERT INTO source (name, kind, answer) VALUES ('fieldwatch', 'fieldwatch', 'strict')`,
      );
    },
    /** Starts one worker on the log. */
    rig: (overrides?: Partial<PipelineDeps>) => createRig(db.pool, log, overrides),
    async totals(): Promise<Totals> {
      const { rows } = await db.pool.query<Totals>(
        `SELECT sum(messages)::int AS messages, sum(readings)::int AS readings, sum(duplicates)::int AS duplicates,
                sum(conflicts)::int AS conflicts, sum(dead_letters)::int AS "deadLetters", sum(skipped)::int AS skipped
         FROM pipeline_position`,
      );
      return rows[0]!;
    },
    async readings() {
      const { rows } = await db.pool.query<{ device: string; metric: string; time: Date; value: number }>(
        `SELECT device, metric, time, value FROM reading ORDER BY device, time, metric`,
      );
      return rows;
    },
    async letters() {
      const { rows } = await db.pool.query<{
        reason: string;
        device: string | null;
        field: string | null;
        raw: Buffer;
      }>(`SELECT reason, device, field, raw FROM dead_letter ORDER BY partition, "offset", id`);
      return rows;
    },
  };
  beforeAll(async () => {
    db = await freshDatabase();
  });
  beforeEach(() => bench.renew());
  afterAll(() => db.drop());
  return bench;
}
