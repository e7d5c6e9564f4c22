import { expect, test } from "vitest";
import { PROBE_HEADER, probeIdOf } from "@/server/domain/probe-message";
import { markHeaders, readMark } from "@/server/domain/resend-mark";
import { readSite, siteHeaders } from "@/server/domain/site-mark";
import type { EventLog, LogBatch, LogRecord, StoredRecord, Subscription } from "@/server/ports/event-log";
import { type LogKey, signHeaders } from "./signed-headers";

const MARK = { letter: "pg-1/iot.telemetry/0/3/15/m", attempt: 1, edited: true };
const UPGRADE = 1_000;

/** A log that holds what it was given, and hands it out at once. */
function logOf(logKey: Partial<LogKey> = {}) {
  const held: LogRecord[] = [];
  let subscription!: Subscription;
  const raw = {
    append: async (_: string, records: readonly LogRecord[]) => void held.push(...records),
    consume: async (asked: Subscription) => void (subscription = asked),
  } as unknown as EventLog;
  const log = signHeaders(raw, async () => ({ key: Buffer.from("key"), unsignedBefore: null, ...logKey }));
  return {
    held,
    append: (headers: Record<string, string>) =>
      log.append("t", [{ key: "d", value: Buffer.from("{}"), headers: headers }]),
    async taken(records: readonly LogRecord[], ingestTime = UPGRADE): Promise<readonly StoredRecord[]> {
      let seen: readonly StoredRecord[] = [];
      await log.consume({ onBatch: async (batch: LogBatch) => void (seen = batch.records) } as unknown as Subscription);
      const stored = records.map((one, offset) => ({ ...one, headers: one.headers ?? {}, offset, ingestTime }));
      await subscription.onBatch({ records: stored } as unknown as LogBatch, new AbortController().signal);
      return seen;
    },
  };
}

test("what our processes say beside a message is known as ours, and the signature stays between them", async () => {
  const log = logOf();
  await log.append({ ...markHeaders(MARK), "fieldwatch-run": "r" });
  await log.append({ [PROBE_HEADER]: "p-1" });
  const [resent, followed] = await log.taken(log.held);
  expect(readMark(resent!.headers)).toEqual(MARK);
  expect(Object.keys(resent!.headers).sort()).toEqual([...Object.keys(markHeaders(MARK)), "fieldwatch-run"].sort());
  expect(probeIdOf(followed!.headers)).toBe("p-1");
});

test("a dead letter sent again with another site than it came with, or without, makes a plain message", async () => {
  const log = logOf();
  await log.append({ ...markHeaders(MARK), ...siteHeaders("north") });
  const [ours] = log.held as [LogRecord];
  const { "fieldwatch-site": _, ...siteless } = ours.headers!;
  const others = [siteless, { ...ours.headers, ...siteHeaders("south") }].map((headers) => ({ ...ours, headers }));
  const marks = (await log.taken([ours, ...others])).map(({ headers }) => readMark(headers));
  expect(marks).toEqual([MARK, null, null]);
  expect(readSite((await log.taken([ours]))[0]!.headers)).toBe("north");
});

test("what is unsigned, signed by others, changed, or taken from another message makes a plain message", async () => {
  const log = logOf();
  await log.append(markHeaders(MARK));
  const [ours] = log.held as [LogRecord];
  const stranger = logOf({ key: Buffer.from("another") });
  await stranger.append(markHeaders(MARK));
  const forged: LogRecord[] = [
    { ...ours, headers: markHeaders(MARK) },
    { ...ours, headers: { ...ours.headers, "fieldwatch-signature": "" } },
    { ...ours, headers: { ...ours.headers, "fieldwatch-resends": "2" } },
    { ...ours, headers: { ...ours.headers, [PROBE_HEADER]: "p-1" } },
    { ...ours, value: Buffer.from("{ }") },
    { ...ours, key: "e" },
    { ...ours, key: null },
    ...stranger.held,
    { ...ours, headers: { "fieldwatch-replay-of": MARK.letter, "fieldwatch-replays": "1", other: "stays" } },
  ];
  for (const { headers } of await log.taken(forged)) {
    expect(readMark(headers)).toBeNull();
    expect(probeIdOf(headers)).toBeUndefined();
    expect(headers).not.toHaveProperty("fieldwatch-signature");
  }
  expect((await log.taken(forged)).at(-1)!.headers).toEqual({ other: "stays" });
});

test("what the version before wrote is believed, if the log took it before the upgrade", async () => {
  const older = {
    key: "d",
    value: Buffer.from("{}"),
    headers: { "fieldwatch-replay-of": MARK.letter, "fieldwatch-replays": "1" },
  };
  const log = logOf({ unsignedBefore: UPGRADE });
  expect(readMark((await log.taken([older], UPGRADE - 1))[0]!.headers)).toEqual({ ...MARK, edited: false });
  expect(readMark((await log.taken([older], UPGRADE))[0]!.headers)).toBeNull();
  // A signature that isn't ours is no word of the version before.
  const signed = { ...older, headers: { ...older.headers, "fieldwatch-signature": "x" } };
  expect(readMark((await log.taken([signed], UPGRADE - 1))[0]!.headers)).toBeNull();
  expect(readMark((await logOf().taken([older], 0))[0]!.headers)).toBeNull();
});

test("messages without headers of ours pass as they are", async () => {
  const log = logOf();
  const plain = { key: "d", value: Buffer.from("{}"), headers: { traceparent: "00" } };
  await log.append(plain.headers);
  expect(log.held).toEqual([plain]);
  expect((await log.taken([plain]))[0]!.headers).toBe(plain.headers);
});
