import type { Pool } from "pg";
import type { Job } from "./jobs/run-jobs";
import { removeJobsBefore } from "@/server/dead-letters/dead-letter-jobs";
import { dropMonthsBefore } from "@/server/readings/partitions";
import { removeRatesBefore } from "@/server/pipeline/rates";
import { removeIngestRatesBefore } from "@/server/ingest/ingest-rates";
import { removeReplayRunsBefore } from "@/server/pipeline/replay-runs";
import { removeStageRatesBefore } from "@/server/pipeline/stage-rates";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { MessageArchive } from "@/server/ports/message-archive";

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
    { name: "replay retention", everyMs: 60 * MINUTE, run: (now) => removeReplayRunsBefore(pool, now - 7 * DAY) },
    { name: "stage retention", everyMs: 10 * MINUTE, run: (now) => removeStageRatesBefore(pool, now - DAY) },
    { name: "route retention", everyMs: 10 * MINUTE, run: (now) => removeIngestRatesBefore(pool, now - DAY) },
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
