import { type Job, removeByParts } from "@/server/postgres/job";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { EventLog } from "@/server/ports/event-log";
import { reclaimLetters } from "./reclaim";
import { NO_SOURCES, type RereadDeliveries } from "./reread";
import { CLAIM_MS } from "./send";
import { DEAD_LETTERS_JOB, workOnMany } from "./work-on-many";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
/** The number of letters removed at a time. */
const CHUNK = 1000;

export interface DeadLetterJobsDeps {
  readonly deadLetters: Pick<DeadLetters, "find" | "change" | "count" | "removeBefore">;
  readonly eventLog: Pick<EventLog, "append" | "describe">;
  /** Left out: there are no sources. */
  readonly reread?: RereadDeliveries;
  /** Records outcomes on letters where a worker that was killed could not. */
  readonly settleLeft: () => Promise<void>;
  /** Days dead letters are kept. */
  readonly days: number;
  readonly lookMs?: number;
  readonly claimMs?: number;
}

export function deadLetterJobs({ days, lookMs = SECOND, claimMs = CLAIM_MS, ...deps }: DeadLetterJobsDeps): Job[] {
  const { deadLetters } = deps;
  return [
    {
      name: DEAD_LETTERS_JOB,
      title: "Work on many dead letters",
      about: "Resends, discards or restores the dead letters that somebody chose, at the rate they set.",
      counts: { one: "dead letter", many: "dead letters" },
      everyMs: null,
      limitMs: null,
      run: (ctx) => workOnMany({ reread: NO_SOURCES, ...deps, lookMs }, ctx),
    },
    {
      name: "dead-letter-claims",
      title: "Dead letters that were not sent",
      about: "Opens dead letters again that were to be sent but never came into the event log.",
      counts: { one: "dead letter opened", many: "dead letters opened" },
      everyMs: 10 * SECOND,
      limitMs: 60 * MINUTE,
      run: (ctx) => reclaimLetters({ ...deps, lookMs, claimMs, now: Date.now }, ctx),
    },
    {
      name: "dead-letter-retention",
      title: "Dead letter retention",
      about: `Removes dead letters ${days} days after the event log took them; PostgreSQL drops whole months.`,
      counts: { one: "dead letter removed", many: "dead letters removed" },
      everyMs: 10 * MINUTE,
      limitMs: 30 * MINUTE,
      run: (ctx) => removeByParts(ctx, CHUNK, (limit) => deadLetters.removeBefore(ctx.now - days * DAY, limit)),
    },
  ];
}
