import { expect, test } from "vitest";
import { LogUnavailableError } from "@/server/ports/event-log";
import { deadLetterJobsBench } from "@/server/testing/dead-letter-jobs";
import { jobContext } from "@/server/testing/job-context";
import { until } from "@/server/testing/until";
import { reclaimLetters } from "./reclaim";
import { NO_SOURCES } from "./reread";
import { APPEND_WITHIN_MS, CLAIM_MS, sendOne } from "./send";

const bench = deadLetterJobsBench();
const { createLog, stored, addJob, start } = bench;

test("a claim is one person's", async () => {
  const log = createLog();
  await stored(1);
  const [letter] = await bench.letters.find({ sites: "all", limit: 1 });
  const sending = { letter: letter!, edited: Buffer.from('{"device":"e","readings":{}}') };
  const sent = await Promise.all(
    [1, 2, 3].map(() => sendOne({ deadLetters: bench.letters, reread: NO_SOURCES, eventLog: log }, sending)),
  );
  expect(sent.filter(Boolean)).toHaveLength(1);
  expect(log.records.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
    ["e", '{"device":"e","readings":{}}'],
  ]);
  expect(log.marks()).toEqual([{ letter: letter!.id, attempt: 1, edited: true }]);
  expect(await bench.letters.find({ sites: "all", limit: 1 })).toMatchObject([
    { status: "resending", resends: 1, history: [{ kind: "sent", edited: true }] },
  ]);
});

test("a claim that led to nothing is reclaimed, but not while its message may wait in the log", async () => {
  const log = createLog();
  await stored(3);
  let now = Date.now();
  const reclaim = async (signal: AbortSignal) => {
    const ctx = jobContext(bench.pool, { signal });
    const settleLeft = async () => {};
    const deps = { deadLetters: bench.letters, eventLog: log, settleLeft, now: () => now, claimMs: 1000, lookMs: 5 };
    await reclaimLetters(deps, ctx).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return ctx.noted()?.done ?? 0;
  };
  const forever = new AbortController().signal;
  const [inLog, nowhere] = await bench.letters.find({ sites: "all", limit: 2 });
  await sendOne({ deadLetters: bench.letters, reread: NO_SOURCES, eventLog: log }, { letter: inLog!, edited: null });
  const unknown = { describe: log.describe, append: () => Promise.reject(new LogUnavailableError("away")) };
  await expect(
    sendOne({ deadLetters: bench.letters, reread: NO_SOURCES, eventLog: unknown }, { letter: nowhere!, edited: null }),
  ).rejects.toThrow(LogUnavailableError);
  expect(await reclaim(forever)).toBe(0);
  now += 60_000;
  expect(await reclaim(AbortSignal.timeout(200)), "the worker hasn't come so far").toBe(0);
  const waiting = reclaim(forever);
  await log.handle();
  expect(await waiting).toBe(1);
  expect(await bench.letters.count({ sites: "all" })).toMatchObject({ open: 2, resent: 1, resending: 0 });
  expect(await bench.letters.find({ sites: "all", ids: [nowhere!.id], limit: 1 })).toMatchObject([
    { resends: 1, history: [{ kind: "sent" }, { kind: "restored" }] },
  ]);
  expect(await reclaim(forever)).toBe(0);
});

test("a claim is appended in time or not at all: its letter may have been reclaimed", async () => {
  await stored(1);
  const asked: (number | undefined)[] = [];
  const log = createLog();
  const append: typeof log.append = (topic, records, before) => {
    asked.push(before);
    return log.append(topic, records);
  };
  const runner = start({ describe: log.describe, append });
  const began = Date.now();
  await addJob();
  await until(() => asked.length === 1);
  await runner.stop();
  const [letter] = await bench.letters.find({ sites: "all", limit: 1 });
  await bench.letters.change([
    {
      ...{ id: letter!.id, from: ["resending"], resends: 1, to: "open" },
      event: { time: Date.now(), kind: "restored", detail: "", edited: false },
    },
  ]);
  const [again] = await bench.letters.find({ sites: "all", limit: 1 });
  await sendOne(
    { deadLetters: bench.letters, reread: NO_SOURCES, eventLog: { append } },
    { letter: again!, edited: null },
  );
  for (const before of asked) {
    expect(before).toBeGreaterThan(began);
    expect(before! - Date.now()).toBeLessThanOrEqual(APPEND_WITHIN_MS);
  }
  expect(asked).toHaveLength(2);
  expect(APPEND_WITHIN_MS).toBeLessThan(CLAIM_MS / 2);
});
