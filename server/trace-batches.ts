import { AsyncLocalStorage } from "node:async_hooks";
import { inContext, type LogContext } from "./observability/logs/context";
import { readTraceparent, type TraceParent } from "./observability/trace-context";
import type { Tracing } from "./observability/tracing/tracing";
import { isGivenUp, type SourceBatch } from "./pipeline/batch";
import type { Pipeline } from "./pipeline/pipeline";
import type { PublishLive } from "./pipeline/stages/publish-live";
import type { Timings } from "./pipeline/timings";
import { TOPICS } from "./domain/terms";

/** The most messages of a batch that are told of in their own traces, and the most traces a batch names. */
export const MOST_TRACED = 128;

interface Ran {
  readonly stage: string;
  readonly began: number;
  readonly ended: number;
}

/** Tells of batches in traces: with their stages, and in the traces of the messages they hold. */
export interface TracedBatches {
  readonly timings: Timings;
  handle(batches: readonly SourceBatch[], handle: () => ReturnType<Pipeline["handle"]>): ReturnType<Pipeline["handle"]>;
}

/**
 * One span a batch, never one a message that isn't sampled. Spans are made once the batch has ended: until then there is nothing but times, so a batch
 * without a sampled message costs a look at its headers. One that fails or takes long is always told of.
 */
export function traceBatches(
  tracing: Tracing | null,
  timings: Timings,
  publishLive: Pick<PublishLive, "sent">,
): TracedBatches {
  if (tracing === null) return { timings, handle: (_, handle) => handle() };
  const stages = new AsyncLocalStorage<Ran[]>();

  function tell(
    batches: readonly SourceBatch[],
    began: number,
    ran: readonly Ran[],
    traced: readonly TraceParent[],
    { failed, isWatched = false }: { readonly failed?: unknown; readonly isWatched?: boolean },
  ): void {
    const ended = Date.now();
    const isSlow = ended - began >= tracing!.slowMs;
    if (traced.length === 0 && failed === undefined && !isSlow) return;
    const records = batches.reduce((sum, batch) => sum + batch.records.length, 0);
    const attributes = {
      "messaging.destination.name": TOPICS.telemetry,
      "messaging.batch.message_count": records,
      "fieldwatch.partitions": batches.map(({ position }) => position.partition).join(),
    };
    // A batch of one request's messages is part of its trace; one of many has a trace of its own, and names theirs.
    const [only] = traced;
    const isOfOne = traced.length === 1;
    const batch = tracing!.begin(`process ${TOPICS.telemetry}`, {
      ...{ kind: "consumer", attributes, at: began },
      ...(isOfOne ? { parent: only! } : { links: traced }),
    });
    for (const { stage, began: at, ended: until } of ran)
      tracing!.begin(stage, { parent: batch.at, at }).end({ at: until });
    batch.end({ at: ended, ...(failed !== undefined && { error: (failed as Error).name }) });
    if (failed !== undefined) return;
    for (const parent of traced)
      tracing!
        .begin("committed", { parent: isOfOne ? batch.at : parent, links: [batch.at], at: began })
        .end({ at: ended });
    if (traced.length === 0 || !isWatched) return;
    void publishLive.sent().then((isSent) => {
      if (!isSent) return;
      for (const parent of traced) tracing!.begin("live frame", { parent, links: [batch.at], at: ended }).end();
    });
  }

  return {
    timings: {
      add(stage, run) {
        timings.add(stage, run);
        // Told of each message: it is in the times of the records already.
        if (stage === "wait") return;
        const ended = Date.now();
        stages.getStore()?.push({ stage, began: ended - run.ms, ended });
      },
    },
    async handle(batches, handle) {
      const began = Date.now();
      const ran: Ran[] = [];
      const traced = tracedIn(batches);
      try {
        const committed = await inContext(contextOf(traced), () => stages.run(ran, handle));
        tell(batches, began, ran, traced, { isWatched: committed.some((one) => one.isWatched) });
        return committed;
      } catch (error) {
        if (!isGivenUp(error)) tell(batches, began, ran, traced, { failed: error });
        throw error;
      }
    },
  };
}

/** What log lines of a batch name: the trace of its messages, where that is one. */
export function contextOf([only, another]: readonly TraceParent[]): LogContext {
  if (only === undefined || another !== undefined) return {};
  return { trace_id: only.traceId, span_id: only.spanId };
}

/** The sampled traces of a batch's messages, each once. */
function tracedIn(batches: readonly SourceBatch[]): readonly TraceParent[] {
  const found = new Map<string, TraceParent>();
  for (const { records } of batches)
    for (const { headers } of records) {
      const { traceparent } = headers;
      if (traceparent === undefined || found.has(traceparent)) continue;
      const parent = readTraceparent(traceparent);
      if (parent?.isSampled) found.set(traceparent, parent);
      if (found.size === MOST_TRACED) return [...found.values()];
    }
  return [...found.values()];
}
