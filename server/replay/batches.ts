import { pause } from "@/server/async/backoff";
import { type JsonReading, readJson, writeJson } from "@/server/domain/json";
import { mapMessage } from "@/server/domain/message";
import type { EpochMs } from "@/server/domain/terms";
import { parseEventTime } from "@/server/domain/time";
import type { ReplayOptions } from "./options";
import type { Source, SourceItem, SourcePlace } from "./source";

/** Items that go out in one request. */
export interface Batch {
  readonly items: readonly SourceItem[];
}

/** Bytes of one request, within every route's limit. */
const BATCH_BYTES = 1024 * 1024;

/** Lets a batch fill up a little even at real speed; a message is at most this late. */
const GATHER_MS = 100;

export interface BatchOptions extends Pick<ReplayOptions, "batch" | "speed" | "mapping" | "deviceName"> {
  /** Milliseconds added to every event time; null sends times as they are. */
  readonly shiftMs: number | null;
}

/**
 * Gathers a source's items into batches, in order. At a finite speed an item comes when it is due: the time since the
 * first one, divided by the speed. Items without a readable time come with the one before them.
 */
export async function* readBatches(
  source: Source,
  after: SourcePlace,
  options: BatchOptions,
  stop: AbortSignal,
): AsyncGenerator<Batch> {
  const paced = Number.isFinite(options.speed);
  let first: { event: EpochMs; wall: number } | null = null;
  let items: SourceItem[] = [];
  let bytes = 0;
  const take = (): Batch => {
    const batch = { items };
    items = [];
    bytes = 0;
    return batch;
  };

  for await (const item of source.items(after)) {
    const read = paced || rewrites(options) ? readItem(item, source, options) : null;
    if (paced && read?.time != null) {
      first ??= { event: read.time, wall: Date.now() };
      const due = first.wall + (read.time - first.event) / options.speed;
      if (due - Date.now() > GATHER_MS) {
        if (items.length > 0) yield take();
        await waitUntil(due - GATHER_MS / 2, stop);
      }
    }
    if (stop.aborted) return;
    const ready = read?.text ? { ...item, text: read.text } : item;
    const size = ready.text?.byteLength ?? 0;
    if (items.length > 0 && (items.length >= options.batch || bytes + size > BATCH_BYTES)) yield take();
    items.push(ready);
    bytes += size;
  }
  if (items.length > 0) yield take();
}

/** True if messages change on the way: then they go out in Fieldwatch's own shape, and no mapping is asked of the route. */
export function rewrites(options: Pick<BatchOptions, "shiftMs" | "deviceName">): boolean {
  return options.shiftMs !== null || options.deviceName !== null;
}

/** The first and the latest event time of a source; null if not one can be read. */
export async function eventTimes(
  source: Source,
  options: BatchOptions,
  stop: AbortSignal,
): Promise<{ first: EpochMs; latest: EpochMs } | null> {
  let first: EpochMs | null = null;
  let latest = 0;
  for await (const item of source.items({ number: 0, bytes: 0 })) {
    if (stop.aborted) break;
    const { time } = readItem(item, source, options);
    if (time === null) continue;
    first ??= time;
    latest = Math.max(latest, time);
  }
  return first === null ? null : { first, latest };
}

/**
 * How far to move a recording so that it plays as if it were now and no time is ahead of the clock: in real time its
 * first message is now; faster, its last message is now when it goes out.
 */
export function shiftFor(times: { first: EpochMs; latest: EpochMs }, speed: number, now: EpochMs): number {
  const lasts = Math.max(0, times.latest - times.first);
  return Math.round(speed <= 1 ? now - times.first : now + lasts / speed - times.latest);
}

/** One message as it would go out, in Fieldwatch's own shape; undefined for what is no JSON object. */
export function messageOf(item: SourceItem, source: Source, options: BatchOptions): JsonReading | undefined {
  const reading = item.text === null ? undefined : readObject(item.text);
  if (reading === undefined) return undefined;
  // Rows of CSV have the shape already.
  const mapped = source.format === "csv" ? reading : mapMessage(reading, options.mapping);
  const message = mapped.json as Record<string, unknown>;
  if (options.deviceName !== null) message["device"] = options.deviceName;
  const time = parseEventTime(message["time"]);
  if (options.shiftMs !== null && time !== null) message["time"] = time + options.shiftMs;
  return mapped;
}

/** The item's own event time and, if messages are rewritten, its new text; what is no JSON object goes out as it is. */
function readItem(
  item: SourceItem,
  source: Source,
  options: BatchOptions,
): { time: EpochMs | null; text: Buffer | null } {
  const message = messageOf(item, source, options);
  if (message === undefined) return { time: null, text: null };
  const sent = parseEventTime((message.json as Record<string, unknown>)["time"]);
  const time = sent === null ? null : sent - (options.shiftMs ?? 0);
  return { time, text: rewrites(options) ? Buffer.from(writeJson(message.json, message.tokens)) : null };
}

function readObject(text: Buffer): JsonReading | undefined {
  try {
    const reading = readJson(text.toString("utf8"));
    const { json } = reading;
    return typeof json === "object" && json !== null && !Array.isArray(json) ? reading : undefined;
  } catch {
    return undefined;
  }
}

/** A timer holds at most 24 days, and a recording may pause for longer. */
async function waitUntil(at: number, stop: AbortSignal): Promise<void> {
  for (let left = at - Date.now(); left > 0 && !stop.aborted; left = at - Date.now())
    await pause(Math.min(left, 86_400_000), stop);
}
