import type { Backoff } from "@/server/async/backoff";
import {
  createDelivery,
  type Delivery,
  DeliveryGaveUp,
  DeliveryRefused,
  DeliveryStopped,
} from "@/server/delivery/delivery";
import type { Authorization } from "@/server/delivery/authorization";
import { createSender } from "@/server/delivery/sender";
import { worthPacking } from "@/server/delivery/target";
import { type Batch, readBatches } from "./batches";
import type { ReplayOptions } from "./options";
import type { ReplayProgress } from "./progress-file";
import { MOST_LOST } from "./report";
import { type Source, SourceBroken, type SourceItem } from "./source";

/** The replay ended before the recording did; the message says why and what to do. */
export class ReplayEnded extends Error {
  override readonly name = "ReplayEnded";
  constructor(
    message: string,
    readonly interrupted = false,
  ) {
    super(message);
  }
}

export interface ReplayTask {
  readonly source: Source;
  readonly options: ReplayOptions;
  readonly start: ReplayProgress;
  /** The telemetry route, with its mapping. */
  readonly url: URL;
  readonly authorization: Authorization;
  readonly backoff: Backoff;
  readonly stop: AbortSignal;
  readonly cut: AbortSignal;
  /** Called after each batch the server has settled, before the next one is sent. */
  readonly onSettled: (progress: ReplayProgress) => void;
  readonly onWaiting: (waiting: { readonly why: string } | null) => void;
}

/**
 * Sends a recording in order, one batch at a time while the next one is read: that keeps each device's order, and
 * never holds more than two batches in memory.
 * @throws ReplayEnded
 */
export async function replay(task: ReplayTask): Promise<void> {
  const { source, options, start, url, stop, cut } = task;
  const sender = createSender({ url, gzip: worthPacking(url), authorization: task.authorization });
  const delivery = createDelivery({
    sender,
    backoff: task.backoff,
    giveUpAfterMs: options.waitSeconds * 1000,
    stop,
    cut,
    onWaiting: task.onWaiting,
  });
  const shiftMs = options.shiftToNow ? start.shiftMs : null;
  const batches = readBatches(source, start, { ...options, shiftMs }, stop);
  let progress = start;
  try {
    let reading = batches.next();
    for (;;) {
      const { value: batch, done } = await reading;
      if (done) break;
      reading = batches.next();
      // Looked at in the next turn; until then a failure to read must not count as unhandled.
      reading.catch(() => undefined);
      progress = await sendBatch(batch, progress, (items) => delivery.deliver(items));
      task.onSettled(progress);
    }
    if (stop.aborted) throw new DeliveryStopped("stopped");
  } catch (error) {
    throw ending(error, url, options);
  } finally {
    sender.close();
    // Not awaited: a generator that waits for its turn in the recording ends by the stop signal.
    void batches.return(undefined).catch(() => undefined);
  }
}

async function sendBatch(batch: Batch, before: ReplayProgress, deliver: Delivery["deliver"]): Promise<ReplayProgress> {
  const sent = batch.items.flatMap((item) => item.texts.map((text) => ({ item, text })));
  const { accepted, rejected, more, again } = await deliver(sent.map(({ text }) => text));
  const { tally } = before;
  const [reasons, parts] = [new Map(Object.entries(tally.rejected)), new Map(Object.entries(tally.partly))];
  const lost = [...tally.lost];
  const add = (to: typeof reasons, reason: string, first: string, count = 1) => {
    const known = to.get(reason);
    to.set(reason, { count: (known?.count ?? 0) + count, first: known?.first ?? first });
  };
  const lose = (item: SourceItem, reason: string, detail: string) => {
    add(reasons, reason, firstOf(item, detail));
    if (lost.length < MOST_LOST && lost.at(-1) !== item.place) lost.push(item.place);
  };
  let [empty, long, whole] = [0, 0, 0];
  for (const item of batch.items) {
    const [first, ...others] = item.refused;
    if (item.isLong) long++;
    if (first === undefined) empty += item.texts.length === 0 ? 1 : 0;
    else if (item.texts.length > 0)
      for (const { reason, detail } of [first, ...others]) add(parts, reason, firstOf(item, detail));
    else {
      whole++;
      lose(item, first.reason, first.detail);
    }
  }
  for (const { index, reason, detail } of rejected) lose(sent[index]!.item, reason, detail);
  for (const [reason, count] of Object.entries(more))
    add(reasons, reason, "only counted by the server, past the first 100 of a request", count);
  const last = batch.items.at(-1) as SourceItem;
  return {
    ...before,
    number: last.number,
    bytes: last.bytes,
    tally: {
      sent: tally.sent + sent.length + whole,
      empty: tally.empty + empty,
      long: tally.long + long,
      again: tally.again + again,
      accepted: tally.accepted + accepted,
      rejected: Object.fromEntries(reasons),
      partly: Object.fromEntries(parts),
      lost,
    },
  };
}

function firstOf(item: SourceItem, detail: string): string {
  return `${item.place}: ${detail.slice(0, 200)}`;
}

/** Turns what ended the replay into words; what nobody expected stays as it is. */
function ending(error: unknown, url: URL, options: ReplayOptions): unknown {
  if (error instanceof DeliveryStopped) return new ReplayEnded("Interrupted.", true);
  if (error instanceof SourceBroken) return new ReplayEnded(error.message);
  if (error instanceof DeliveryGaveUp) {
    return new ReplayEnded(
      `Gave up after ${options.waitSeconds} s: ${url.origin} does not take messages: ${error.message}. Is Fieldwatch running there? Start it (npm start), or name it with --url.`,
    );
  }
  if (error instanceof DeliveryRefused) {
    return new ReplayEnded(
      `${url.origin}${url.pathname} refuses the request (${error.message}). Is this Fieldwatch? Name its address with --url; for example --url http://127.0.0.1:3000`,
    );
  }
  return error;
}
