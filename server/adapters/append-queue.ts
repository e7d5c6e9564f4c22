import type { EpochMs } from "@/server/domain/terms";
import { type LogRecord, LogUnavailableError, type RecordHeaders } from "@/server/ports/event-log";

/** The records of one call of `append`; their order is kept. */
export type AppendCall = readonly LogRecord[];

/** Writes calls to one topic, all of them or none as far as the callers are told. */
export type WriteCalls = (calls: readonly AppendCall[]) => Promise<void>;

export interface Appender {
  /** @param before not written from then on, but rejected. */
  append(topic: string, records: AppendCall, before?: EpochMs): Promise<void>;
  /** Waits until nothing is in flight. */
  idle(): Promise<void>;
}

/** Bytes of headers as text, roughly. */
export function headerBytes(headers: RecordHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

/** Calls are merged up to these bounds; a single larger call is written by itself. */
export interface MergeBounds {
  readonly records: number;
  readonly bytes: number;
}

/**
 * Appends with one write in flight per topic; what comes meanwhile shares the next one.
 * @param openTopic makes what writes to a topic, once for each.
 */
export function createAppender(openTopic: (topic: string) => WriteCalls, bounds: MergeBounds): Appender {
  const queues = new Map<string, ReturnType<typeof createQueue>>();
  return {
    async append(topic, records, before = Infinity) {
      if (records.length === 0) return;
      let queue = queues.get(topic);
      if (queue === undefined) queues.set(topic, (queue = createQueue(openTopic(topic), bounds)));
      await queue.push(records, before);
    },
    async idle() {
      await Promise.all([...queues.values()].map((queue) => queue.idle()));
    },
  };
}

interface Waiting {
  readonly records: AppendCall;
  readonly before: EpochMs;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function createQueue(write: WriteCalls, bounds: MergeBounds) {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      rejectLate();
      const calls = takeCalls();
      if (calls.length === 0) continue;
      try {
        await write(calls.map(({ records }) => records));
        for (const { resolve } of calls) resolve();
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
    }
    // This is the same turn as the last look at the queue: a call that comes later starts anew.
    writing = null;
  }

  function rejectLate(): void {
    const now = Date.now();
    for (const { before, reject } of waiting)
      if (before <= now) reject(new LogUnavailableError("the log could not take the records in time"));
    waiting = waiting.filter(({ before }) => before > now);
  }

  function takeCalls(): Waiting[] {
    let records = 0;
    let bytes = 0;
    let count = 0;
    while (count < waiting.length) {
      const call = waiting[count]!;
      records += call.records.length;
      for (const { value, headers } of call.records) bytes += value.byteLength + (headers ? headerBytes(headers) : 0);
      if (count > 0 && (records > bounds.records || bytes > bounds.bytes)) break;
      count += 1;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  }

  return {
    push(records: AppendCall, before: EpochMs): Promise<void> {
      return new Promise<void>((resolve, reject) => {
        waiting.push({ records, before, resolve, reject });
        writing ??= writeAll();
      });
    },
    async idle(): Promise<void> {
      await writing;
    },
  };
}
