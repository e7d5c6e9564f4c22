import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { Consumption, EventLog, LogBatch, LogRecord, StoredRecord, Subscription } from "@/server/ports/event-log";

/** The means of the suite to use the adapter under test. */
export interface EventLogFixture {
  /** Opens the one log once more, with connections of its own, as another process would. */
  open(): Promise<OpenLog>;
  close(): Promise<void>;
}

export interface OpenLog {
  readonly log: EventLog;
  /** Breaks all its connections and refuses new ones: to the log it looks like the death of this process. */
  cut(): Promise<void>;
  /** Lets it connect again. */
  restore(): Promise<void>;
}

/** Engines rebalance and reconnect at their own pace. */
export const PATIENCE = { timeoutMs: 30_000 };

export type EventLogBench = ReturnType<typeof createBench>;

/** Two open logs to test with, topics of their own for every test, and consumers that collect what they get. */
export function createBench(createFixture: () => Promise<EventLogFixture>) {
  const running = new Set<Consumption>();
  let fixture: EventLogFixture | undefined;
  let logs: readonly [OpenLog, OpenLog] | undefined;
  const opened = () => logs ?? fail();

  return {
    get first() {
      return opened()[0];
    },
    get second() {
      return opened()[1];
    },

    async setUp(): Promise<void> {
      fixture = await createFixture();
      logs = [await fixture.open(), await fixture.open()];
    },

    async tearDown(): Promise<void> {
      await Promise.all([...running].map((consumption) => consumption.stop(1000)));
      await Promise.all((logs ?? []).map(({ log }) => log.close()));
      await fixture?.close();
    },

    /** One more log; the test closes it. */
    async open(): Promise<OpenLog> {
      return await (fixture ?? fail()).open();
    },

    async newTopic(partitions: number): Promise<string> {
      const topic = `contract-${randomBytes(6).toString("hex")}`;
      await opened()[0].log.ensureTopics([{ topic, partitions, retentionMs: 3_600_000, durable: true }]);
      return topic;
    },

    /** Consumes into a list; everything can be overridden. */
    async collect(log: EventLog, topic: string, over: Partial<Subscription> = {}) {
      const batches: LogBatch[] = [];
      const errors: unknown[] = [];
      const consumption = await log.consume({
        topic,
        group: "group",
        maxRecords: 1000,
        maxBytes: 1024 * 1024,
        concurrency: 4,
        onError: (error) => errors.push(error),
        ...over,
        async onBatch(batch, signal) {
          await over.onBatch?.(batch, signal);
          batches.push(batch);
        },
      });
      running.add(consumption);
      return {
        batches,
        errors,
        records: () =>
          batches.flatMap((batch) => batch.records.map((record) => ({ ...record, partition: batch.partition }))),
        assigned: () => [...consumption.assigned()].sort((a, b) => a - b),
        async stop(timeoutMs = 5000) {
          running.delete(consumption);
          await consumption.stop(timeoutMs);
        },
      };
    },
  };
}

function fail(): never {
  throw new Error("the suite is not set up");
}

/** A place where a batch waits until the test lets it go on. */
export function gateOf() {
  let arrive = () => {};
  let release = () => {};
  const reached = new Promise<void>((resolve) => (arrive = resolve));
  const opened = new Promise<void>((resolve) => (release = resolve));
  return {
    reached,
    open: () => release(),
    pass(): Promise<void> {
      arrive();
      return opened;
    },
  };
}

export function record(key: string, value: string): LogRecord {
  return { key, value: Buffer.from(value) };
}

/** Records whose values are the numbers from `from` to before `to`, of many keys. */
export function numbered(from: number, to: number): LogRecord[] {
  return range(from, to).map((n) => record(`key-${n % 37}`, String(n)));
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

export function valuesOf(records: readonly StoredRecord[]): number[] {
  return records.map(({ value }) => Number(text(value))).sort((a, b) => a - b);
}

export function expectDense(records: readonly StoredRecord[], from: number): void {
  expect(records.map(({ offset }) => offset)).toEqual(range(from, from + records.length));
}

export function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

export function text(value: Uint8Array): string {
  return Buffer.from(value).toString();
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}
