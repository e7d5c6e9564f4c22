import type { Pool } from "pg";
import { counted } from "@/server/domain/counted";
import { formatDuration } from "@/server/domain/duration";
import { type Finding, pass, type Probe } from "./probe";

/** The worker seals every minute. */
const LATE_S = 300;

/** What waits for its seal. */
export interface Unsealed {
  readonly waiting: number;
  /** Age of the oldest, in seconds; null when none waits. */
  readonly oldestS: number | null;
  /** Rows that waited, and aren't there any more. */
  readonly gone: number;
}

/** Probes whether the seals keep up with the audit record. */
export function auditProbe({ pool }: { readonly pool: Pool }): Probe {
  return {
    name: "audit.sealed",
    title: "Audit record sealed",
    group: "Jobs",
    timeoutMs: 3000,
    async run() {
      const { rows } = await pool.query<Unsealed>(
        `SELECT count(r.id)::integer AS waiting, extract(epoch FROM now() - min(r.time))::float8 AS "oldestS",
           (count(*) - count(r.id))::integer AS gone
         FROM audit_unsealed u LEFT JOIN audit_row r ON r.id = u.row_id`,
      );
      return judgeUnsealed(rows[0]!);
    },
  };
}

export function judgeUnsealed({ waiting, oldestS, gone }: Unsealed): Finding {
  if (gone > 0)
    return {
      status: "fail",
      summary: `${counted(gone, "row")} of the audit record ${gone === 1 ? "is" : "are"} gone before the seal.`,
      cause: "Somebody with access to the database removed them, or part of it was restored from a backup.",
      fix: "See which: `npm run audit:verify`",
    };
  if (oldestS === null || oldestS <= LATE_S)
    return pass(waiting === 0 ? "All rows are sealed." : `${counted(waiting, "row")} to be sealed within a minute.`);
  return {
    status: "warn",
    summary: `${counted(waiting, "row")} unsealed, the oldest for ${formatDuration(Math.round(oldestS) * 1000)}.`,
    cause: "The job “Audit seal” doesn't run or fails: what was added since could be changed without a trace.",
    fix: "See why under Jobs: its last run says what failed.",
  };
}
