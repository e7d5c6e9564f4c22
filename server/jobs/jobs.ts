import type { Pool } from "pg";
import { removeJobsBefore } from "@/server/database/dead-letter-jobs";
import { dropMonthsBefore } from "@/server/database/partitions";
import { removeRatesBefore } from "@/server/database/rates";
import type { EpochMs } from "@/server/domain/terms";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { MessageArchive } from "@/server/ports/message-archive";

/** Work done now and then, by one process at a time. Each may be broken off and done again. */
export interface Job {
  readonly name: string;
  /** Time between two runs, in milliseconds. */
  readonly everyMs: number;
  /** @returns what it removed, for the log; null or 0 when there was nothing to do. */
  readonly run: (now: EpochMs) => Promise<number | null>;
}

export interface JobDeps {
  readonly pool: Pool;
  readonly archive: Pick<MessageArchive, "removeBefore">;
  readonly deadLetters: Pick<DeadLetters, "removeBefore">;
  /** Removes expired records of the event log; null where the log does so itself. */
  readonly removeExpiredRecords: (() => Promise<number>) | null;
  /** Days of event time readings are kept; 0 keeps all. */
  readonly readingsDays: number;
  readonly archiveDays: number;
  readonly deadLetterDays: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** The table of jobs. */
export function retentionJobs(deps: JobDeps): Job[] {
  const { pool, archive, deadLetters, removeExpiredRecords, readingsDays, archiveDays, deadLetterDays } = deps;
  const jobs: Job[] = [
    { name: "message retention", everyMs: 10 * MINUTE, run: (now) => archive.removeBefore(now - archiveDays * DAY) },
    {
      name: "dead letter retention",
      everyMs: 10 * MINUTE,
      run: (now) => deadLetters.removeBefore(now - deadLetterDays * DAY),
    },
    { name: "job retention", everyMs: 60 * MINUTE, run: (now) => removeJobsBefore(pool, now - deadLetterDays * DAY) },
    { name: "rate retention", everyMs: 10 * MINUTE, run: (now) => removeRatesBefore(pool, now - DAY) },
  ];
  if (removeExpiredRecords) jobs.push({ name: "log retention", everyMs: MINUTE, run: removeExpiredRecords });
  if (readingsDays > 0) {
    jobs.push({
      name: "readings retention",
      everyMs: 10 * MINUTE,
      run: async (now) => (await dropMonthsBefore(pool, now - readingsDays * DAY)).length,
    });
  }
  return jobs;
}
