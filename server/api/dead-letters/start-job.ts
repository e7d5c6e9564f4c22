import { signatureOf } from "@/server/domain/access";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { deadLetterJobAnswer, deadLetterJobBody, type DeadLetterDryRun } from "@/server/contracts/dead-letters";
import { DEAD_LETTERS_JOB, type WorkOnMany } from "@/server/dead-letters/work-on-many";
import { readRun } from "@/server/jobs/read";
import { requestRun } from "@/server/jobs/requests";
import type { PreviewLetters } from "@/server/dead-letters/preview";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";
import type { DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { type JobDeps, toJobViews } from "./jobs";
import { toFilter } from "./view";

/** Jobs that may be unfinished at a time. */
const MOST_UNFINISHED = 8;
/** Letters a dry run looks at; each may have 64 KiB. */
const LOOKED_AT = 200;
/** The number of letters discarded or restored in a second, roughly: no message is sent. */
const DECIDED_PER_SECOND = 2000;
const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(deadLetterJobBody, { io: "input" });

interface StartDeps extends JobDeps {
  readonly deadLetters: Pick<DeadLetters, "count" | "countByJob" | "find">;
  readonly preview: PreviewLetters;
}

export const startDeadLetterJob = verb(
  {
    method: "POST",
    path: "/api/v1/dead-letters/jobs",
    access: "operate",
    bySite: true,
    audited: "changed",
    summary: "Resends, discards or restores many dead letters, or tells what that would do",
    description:
      "A worker does it, bit by bit; it goes on after a restart. It works on the dead letters that fit now, not on those that come later. With " +
      "`dryRun` nothing is changed: the newest of them are judged as the worker would judge them now.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: deadLetterJobAnswer,
    status: 200,
    problems: ["too-many-jobs", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  (deps: StartDeps) =>
    async (ctx, { request, note, attempt }) => {
      const { action, perSecond, dryRun, ...body } = await parseJsonBody(deadLetterJobBody, request);
      const { sites } = ctx;
      const status = action === "restore" ? "discarded" : "open";
      const filter = toFilter(body.filter);
      const id = randomUUID();
      await attempt({
        ...(!dryRun && { target: id }),
        detail: { asked: { action, sites, filter, perSecond, dryRun } },
      });
      const newest = await deps.deadLetters.find({ sites, ...filter, status, limit: dryRun ? LOOKED_AT : 1 });
      // What its own resends bring back is taken by the log later than anything there is now.
      const until = newest[0]?.ingestTime ?? 0;
      const total = (await deps.deadLetters.count({ sites, ...filter, status, until }))[status];
      if (dryRun) {
        const looked = action === "resend" ? newest : [];
        const seconds = total / (action === "resend" ? perSecond : DECIDED_PER_SECOND);
        return { dryRun: { count: total, ...(await judge(deps.preview, looked)), seconds }, job: null };
      }
      note({ target: id, detail: { asked: { action, sites, filter, perSecond, total } } });
      const params = { action, sites, filter, until, perSecond } satisfies WorkOnMany;
      const run = { id, job: DEAD_LETTERS_JOB, lane: id, params, total, requestedBy: signatureOf(ctx.caller) };
      if ((await requestRun(ctx.tx, { ...run, most: MOST_UNFINISHED })) === null)
        throw new ProblemError("too-many-jobs", `${MOST_UNFINISHED} jobs are unfinished: wait for one, or stop one.`);
      const row = await readRun(ctx.tx, DEAD_LETTERS_JOB, sites, id);
      return { dryRun: null, job: (await toJobViews(deps, [row!]))[0]! };
    },
);

async function judge(
  previewOf: PreviewLetters,
  letters: readonly KeptDeadLetter[],
): Promise<Pick<DeadLetterDryRun, "checked" | "wouldPass" | "wouldFail">> {
  const previews = letters.length === 0 ? [] : await previewOf(letters);
  const fails = new Map<DeadLetterReason, { count: number; example: string }>();
  for (const { problems } of previews) {
    const first = problems[0];
    if (!first) continue;
    const known = fails.get(first.reason);
    fails.set(first.reason, { count: (known?.count ?? 0) + 1, example: known?.example ?? first.detail });
  }
  return {
    checked: letters.length,
    wouldPass: previews.filter(({ problems }) => problems.length === 0).length,
    wouldFail: [...fails]
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([reason, found]) => {
        const { title, fix } = DEAD_LETTER_REASONS[reason];
        return { reason, title, fix, ...found };
      }),
  };
}
