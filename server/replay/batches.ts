import { pause } from "@/server/async/backoff";
import { type JsonReading, readJson, repeatedPlaces, writeJson } from "@/server/domain/json";
import { bytesAt } from "@/server/domain/mapping/message-text";
import { type DecodeBounds, decodeJson, decodeMessage, type DecodeOutcome } from "@/server/domain/decode-message";
import { mapMessage } from "@/server/domain/message-mapping";
import type { EpochMs } from "@/server/domain/terms";
import { parseEventTime } from "@/server/domain/time";
import type { ReplayOptions } from "./options";
import { type Source, SourceBroken, type SourceItem, type SourcePlace } from "./source";

/** Items that go out in one request; those that became none go with it, to be counted. */
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

  try {
    for await (const item of source.items(after)) {
      const read = paced || rewrites(options) ? readItem(item, options) : null;
      if (paced && read?.time != null) {
        first ??= { event: read.time, wall: Date.now() };
        const due = first.wall + (read.time - first.event) / options.speed;
        if (due - Date.now() > GATHER_MS) {
          if (items.length > 0) yield take();
          await waitUntil(due - GATHER_MS / 2, stop);
        }
      }
      if (stop.aborted) return;
      const ready = read?.texts ? { ...item, texts: read.texts } : item;
      let size = 0;
      for (const text of ready.texts) size += text.byteLength;
      if (items.length > 0 && (items.length >= options.batch || bytes + size > BATCH_BYTES)) yield take();
      items.push(ready);
      bytes += size;
    }
  } catch (error) {
    // What was read up to where the file breaks is fine.
    if (error instanceof SourceBroken && items.length > 0) yield take();
    throw error;
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
    const times = item.messages?.map(({ time }) => time) ?? [readItem(item, options).time];
    for (const time of times) {
      if (time === null) continue;
      first ??= time;
      latest = Math.max(latest, time);
    }
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

/** One message that no mapping read as it would go out, in Fieldwatch's own shape; undefined for what is no JSON object. */
function messageOf(item: SourceItem, options: BatchOptions): JsonReading | undefined {
  const [text] = item.texts;
  const reading = text === undefined ? undefined : readObject(text);
  if (reading === undefined) return undefined;
  const { repeated = [], ...mapped } = mapMessage(reading, options.mapping);
  const message = mapped.json as Record<string, unknown>;
  if (options.deviceName !== null) message["device"] = options.deviceName;
  const time = parseEventTime(message["time"]);
  if (options.shiftMs !== null && time !== null) message["time"] = time + options.shiftMs;
  // One name for all devices is there once, whatever the file says.
  const twice = options.deviceName === null ? repeated : repeated.filter(([part]) => part !== "device");
  return twice.length === 0 ? mapped : { ...mapped, repeated: twice };
}

/** Says what came more than once so, too, for the worker to refuse by name. */
function written(message: JsonReading): Uint8Array {
  return Buffer.from(writeJson(message.json, message.tokens, repeatedPlaces(message)));
}

/** What the worker would make of an item's messages. */
export function decodeItem(item: SourceItem, options: BatchOptions, bounds: DecodeBounds): readonly DecodeOutcome[] {
  if (item.messages !== null)
    return (readItem(item, options).texts ?? item.texts).map((text) => decodeMessage(text, bounds));
  const message = messageOf(item, options);
  return message === undefined ? item.texts.map((text) => decodeMessage(text, bounds)) : [decodeJson(message, bounds)];
}

/** The item's first event time before any shift and, if messages are rewritten, their new texts; what is no JSON object goes out as it is. */
function readItem(
  item: SourceItem,
  options: BatchOptions,
): { time: EpochMs | null; texts: readonly Uint8Array[] | null } {
  const { messages } = item;
  const { shiftMs } = options;
  if (messages !== null) {
    const moved = shiftMs === null ? null : messages.map((one) => bytesAt(one, one.time + shiftMs));
    return { time: messages[0]?.time ?? null, texts: moved };
  }
  const message = messageOf(item, options);
  if (message === undefined) return { time: null, texts: null };
  const sent = parseEventTime((message.json as Record<string, unknown>)["time"]);
  const time = sent === null ? null : sent - (shiftMs ?? 0);
  return { time, texts: rewrites(options) ? [written(message)] : null };
}

function readObject(text: Uint8Array): JsonReading | undefined {
  try {
    const reading = readJson(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8"));
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
