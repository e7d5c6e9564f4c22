import type { Logger } from "@/server/observability/logger";
import type { LineageNames } from "@/server/domain/open-lineage";
import { UnavailableError } from "@/server/domain/unavailable";
import type { Job, JobContext } from "@/server/postgres/job";
import { withTransaction } from "@/server/postgres/transaction";
import { dropBeyond, MOST_WAITING, nextEvents, noteTrouble, settleEvents, tellStream } from "./outbox";

/** Sends one event. @returns false when the receiver says that the event is wrong. @throws UnavailableError when it can't take any now. */
export type SendEvent = (body: string, signal: AbortSignal) => Promise<boolean>;

export interface LineageJobDeps {
  readonly names: LineageNames;
  readonly send: SendEvent;
  readonly logger: Pick<Logger, "warn">;
  /** Events that may wait; left out: {@link MOST_WAITING}. */
  readonly most?: number;
}

/** Events between two notes of what was sent: so many may come again after a crash, which is harmless to a receiver. */
const TOGETHER = 50;

/** The job that tells of the stream, and sends what waits, in order. */
export function lineageJobs(deps: LineageJobDeps): Job[] {
  return [
    {
      name: "openlineage",
      title: "OpenLineage events",
      about: "Sends what ran to OPENLINEAGE_URL as OpenLineage events, in order; while nobody takes them, they wait.",
      counts: { one: "event sent", many: "events sent" },
      everyMs: 10_000,
      limitMs: null,
      run: (ctx) => sendWaiting(ctx, deps),
    },
  ];
}

async function sendWaiting(
  ctx: JobContext,
  { names, send, logger, most = MOST_WAITING }: LineageJobDeps,
): Promise<void> {
  // Not a step of the run: progress would make each attempt count as the first, and its pauses would never grow.
  await withTransaction(ctx.tx, async (tx) => {
    await tellStream(tx, ctx.now, names);
    const dropped = await dropBeyond(tx, most);
    if (dropped > 0) logger.warn({ dropped }, "OpenLineage events were let go, as more wait than may");
  });
  let { done } = ctx.run;
  for (;;) {
    const waiting = await nextEvents(ctx.tx, TOGETHER);
    if (waiting.length === 0) return;
    const ids: string[] = [];
    let refused = 0;
    let trouble: UnavailableError | null = null;
    for (const { id, body } of waiting) {
      try {
        if (!(await send(body, ctx.signal))) {
          refused++;
          logger.warn({ event: id }, "an OpenLineage event was refused by its receiver, and is left out");
        }
        ids.push(id);
      } catch (error) {
        ctx.signal.throwIfAborted();
        if (!(error instanceof UnavailableError)) throw error;
        trouble = error;
        break;
      }
    }
    if (ids.length > 0)
      await ctx.step(async (tx) => {
        await settleEvents(tx, { ids, refused });
        return { done: (done += ids.length) };
      });
    if (trouble !== null) {
      await noteTrouble(ctx.tx, trouble.message);
      throw trouble;
    }
  }
}
