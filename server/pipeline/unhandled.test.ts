import { describe, expect, test } from "vitest";
import { createPostgresDeadLetters } from "@/server/adapters/postgres/dead-letters";
import { createPostgresMessageArchive } from "@/server/adapters/postgres/message-archive";
import { markHeaders } from "@/server/domain/resend-mark";
import type { DeadLetter } from "@/server/ports/dead-letters";
import { LogUnavailableError } from "@/server/ports/event-log";
import { pipelineBench } from "@/server/testing/pipeline-bench";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);
const message = (i: number, more: object = {}) => ({ device: "d", time: T + i * 1000, readings: { a: i }, ...more });
const stored = async () => (await bench.readings()).map(({ value }) => value);

/** Creates an archive that fails, with a plain Error as a bug would, on messages that hold the word "poison". */
function failingArchive() {
  const archive = createPostgresMessageArchive(bench.pool);
  const store: typeof archive.store = async (messages) => {
    if (messages.some(({ body }) => Buffer.from(body as Uint8Array).includes("poison")))
      throw new Error("Connection terminated");
    await archive.store(messages);
  };
  return { store };
}

describe("an error that is no outage", () => {
  test("is found down to its records, which are kept whole with the error; all others are stored, once", async () => {
    const rig = await bench.rig({ archive: failingArchive() });
    const poisoned = new Set([0, 7, 8, 31, 63]);
    for (let i = 0; i < 64; i++) bench.log.append(0, message(i, poisoned.has(i) ? { note: "poison" } : {}));
    await rig.insist(0, 40);
    expect(await bench.totals()).toMatchObject({
      messages: 64,
      readings: 59,
      duplicates: 0,
      deadLetters: 5,
      skipped: 0,
    });
    expect(await stored()).toEqual([...Array(64).keys()].filter((i) => !poisoned.has(i)));
    const letters = await rig.deadLetters.find({ sites: "all", limit: 100 });
    expect(letters.map(({ position }) => position.offset).sort((a, b) => a - b)).toEqual([...poisoned]);
    for (const { position, reason, detail, raw, status } of letters) {
      expect([reason, detail, status]).toEqual(["internalError", "Error: Connection terminated", "open"]);
      expect(Buffer.from(raw)).toEqual(bench.log.parts[0]!.records[position.offset]!.value);
    }
    const { rows } = await bench.pool.query(
      "SELECT reason, sum(letters)::int AS letters FROM pipeline_refused WHERE bucket > '-infinity' GROUP BY 1",
    );
    expect(rows).toEqual([{ reason: "internalError", letters: 5 }]);
    expect(rig.fatal).toEqual([]);
  });

  test("is tried again first: one that goes away costs nothing", async () => {
    let failures = 4;
    const archive = createPostgresMessageArchive(bench.pool);
    const store: typeof archive.store = async (messages) => {
      if (failures-- > 0) throw new TypeError("x is not a function");
      await archive.store(messages);
    };
    const rig = await bench.rig({ archive: { store } });
    for (let i = 0; i < 8; i++) bench.log.append(0, message(i));
    await rig.insist(0);
    expect(await bench.totals()).toMatchObject({ messages: 8, readings: 8, deadLetters: 0 });
  });

  test("that no message is to blame for makes no dead letter, and once it is mended all are stored", async () => {
    const rig = await bench.rig();
    for (let i = 0; i < 8; i++) bench.log.append(0, message(i));
    await bench.pool.query(`ALTER TABLE pipeline_rate ADD CONSTRAINT broken CHECK (messages < 0) NOT VALID`);
    try {
      await expect(rig.insist(0, 1000, 40)).rejects.toThrow("broken");
    } finally {
      await bench.pool.query(`ALTER TABLE pipeline_rate DROP CONSTRAINT broken`);
    }
    expect(await rig.deadLetters.find({ sites: "all", limit: 1 })).toEqual([]);
    await rig.insist(0);
    expect(await bench.totals()).toMatchObject({ messages: 8, readings: 8, deadLetters: 0 });
  });

  test("leaves other partitions alone, before and while its batch is divided", async () => {
    const rig = await bench.rig({ archive: failingArchive() });
    for (let i = 0; i < 4; i++) bench.log.append(0, message(i, { note: "poison" }));
    for (let i = 0; i < 4; i++) bench.log.append(1, message(i));
    await rig.begin(0);
    await expect(rig.batch(0, 0, 4)).rejects.toThrow("Connection terminated");
    await rig.begin(1);
    await rig.batch(1, 0, 4);
    expect(await stored()).toEqual([0, 1, 2, 3]);
    await rig.insist(0);
    expect(await bench.totals()).toMatchObject({ messages: 8, readings: 4, deadLetters: 4 });
  });

  test("is resent after an upgrade like any other dead letter", async () => {
    const failing = await bench.rig({ archive: failingArchive() });
    bench.log.append(0, message(1, { note: "poison" }));
    await failing.insist(0);
    const [letter] = await failing.deadLetters.find({ sites: "all", limit: 1 });
    const event = { time: T, kind: "sent", detail: "Sent again", edited: false } as const;
    const { id } = letter!;
    await failing.deadLetters.change([{ id, from: ["open"], resends: 0, to: "resending", sends: true, event }]);
    const headers = markHeaders({ letter: id, attempt: 1, edited: false });

    // Sent once too early: the dead letter it became descends from it.
    bench.log.append(0, Buffer.from(letter!.raw), T, headers);
    await failing.insist(0);
    const [again] = await failing.deadLetters.find({ sites: "all", status: "open", limit: 1 });
    expect(again).toMatchObject({ reason: "internalError", resendOf: id, resends: 1 });
    expect(again!.detail).toContain(`header fieldwatch-resend-of: ${id}`);
    expect((await failing.deadLetters.find({ sites: "all", ids: [id], limit: 1 }))[0]).toMatchObject({
      resentAs: again!.id,
    });

    await failing.deadLetters.change([
      { id: again!.id, from: ["open"], resends: 1, to: "resending", sends: true, event },
    ]);
    bench.log.append(0, Buffer.from(again!.raw), T, markHeaders({ letter: again!.id, attempt: 2, edited: false }));
    await (await bench.rig()).insist(0);
    expect(await stored()).toEqual([1]);
    expect(await failing.deadLetters.count({ sites: "all" })).toMatchObject({ open: 0, resending: 0, resent: 2 });
  });
});

describe("a record that can't be kept as it is", () => {
  const keeping = (refuses: (letter: DeadLetter) => boolean) => {
    const deadLetters = createPostgresDeadLetters(bench.pool);
    const store: typeof deadLetters.store = async (letters) => {
      if (letters.some(refuses)) throw new Error("too much for this store");
      await deadLetters.store(letters);
    };
    return { ...deadLetters, store };
  };

  test("is kept without what it says of itself, and as a last resort cut", async () => {
    const big = "poison".repeat(400_000);
    const deadLetters = keeping(({ detail, raw }) => detail.includes("key") || raw.byteLength > 2_000_000);
    const rig = await bench.rig({ archive: failingArchive(), deadLetters });
    bench.log.append(0, message(1, { note: "poison" }));
    Object.assign(bench.log.parts[0]!.records[0]!, { key: "k\0" });
    bench.log.append(0, big);
    bench.log.append(0, message(3));
    await rig.insist(0);
    const letters = [...(await rig.deadLetters.find({ sites: "all", limit: 10 }))];
    const sizes = letters.sort((a, b) => a.position.offset - b.position.offset).map(({ raw }) => raw.byteLength);
    expect(sizes).toEqual([bench.log.parts[0]!.records[0]!.value.byteLength, 1024 * 1024]);
    expect(letters[1]!.detail).toContain(String(big.length));
    expect(await stored()).toEqual([3]);
  });

  test("is not passed over: nothing is committed, and it is tried again", async () => {
    let refused = true;
    const deadLetters = keeping(() => refused);
    const rig = await bench.rig({ archive: failingArchive(), deadLetters });
    bench.log.append(0, message(1, { note: "poison" }));
    bench.log.append(0, message(2));
    await expect(rig.insist(0, 1000, 12)).rejects.toThrow("too much for this store");
    expect(await bench.totals()).toMatchObject({ messages: 0, deadLetters: 0 });
    refused = false;
    await rig.insist(0);
    expect(await bench.totals()).toMatchObject({ messages: 2, deadLetters: 1 });
  });
});

describe("other classes of errors", () => {
  const throwing = (error: unknown) => ({ archive: { store: () => Promise.reject(error as Error) } });

  test("an outage is retried without end and never makes a dead letter", async () => {
    const away = [new LogUnavailableError("away"), Object.assign(new Error("x"), { code: "57P01" })];
    for (const error of away) {
      const rig = await bench.rig(throwing(error));
      bench.log.append(0, message(1));
      await expect(rig.insist(0, 1000, 20)).rejects.toBe(error);
      expect(rig.fatal).toEqual([]);
    }
    expect(await bench.totals()).toMatchObject({ messages: 0, deadLetters: 0 });
  });

  test("a fatal one is told once it has lasted, and never makes a dead letter", async () => {
    const error = Object.assign(new Error('relation "x" does not exist'), { code: "42P01" });
    const rig = await bench.rig(throwing(error));
    bench.log.append(0, message(1));
    await expect(rig.insist(0, 1000, 3)).rejects.toBe(error);
    expect(rig.fatal).toEqual([]);
    await expect(rig.insist(0, 1000, 0)).rejects.toBe(error);
    expect(rig.fatal).toEqual([error]);
    expect(await bench.totals()).toMatchObject({ messages: 0, deadLetters: 0 });
  });
});
