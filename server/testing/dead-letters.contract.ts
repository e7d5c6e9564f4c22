import { Buffer } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type DeadLetter,
  type DeadLetterChange,
  type DeadLetterEvent,
  deadLetterId,
  type DeadLetters,
  type KeptDeadLetter,
  MOST_EVENTS,
  NEVER_REPLAYED,
} from "@/server/ports/dead-letters";
import type { DocumentStoreFixture } from "./message-archive.contract";

let serial = 0;

/** What every store of dead letters must do. */
export function deadLettersContract(name: string, createFixture: () => Promise<DocumentStoreFixture<DeadLetters>>) {
  describe(`dead letters: ${name}`, () => {
    let fixture: DocumentStoreFixture<DeadLetters>;
    let letters: DeadLetters;
    beforeAll(async () => {
      fixture = await createFixture();
      letters = fixture.store;
    });
    afterAll(() => fixture.close());

    async function find(query: Parameters<DeadLetters["find"]>[0]): Promise<readonly KeptDeadLetter[]> {
      return (await letters.find(query)).map(plain);
    }

    async function one(id: string): Promise<KeptDeadLetter> {
      return (await find({ ids: [id], limit: 1 }))[0]!;
    }

    it("keeps a letter whole, its bytes included", async () => {
      const device = newDevice();
      const whole = letterOf(device, 1, { raw: Uint8Array.from({ length: 256 }, (_, byte) => byte) });
      const field = letterOf(device, 0, { field: "temperature", index: 3, reason: "typeDrift", raw: new Uint8Array() });
      await letters.store([field, whole]);
      expect(await find({ device, limit: 10 })).toEqual([kept(whole), kept(field)]);
    });

    it("keeps a letter that names no device", async () => {
      const letter = letterOf(null, 0, { ingestTime: 4_000_000_000_000 });
      await letters.store([letter]);
      expect(await find({ limit: 1 })).toEqual([kept(letter)]);
      expect(await find({ device: null, limit: 1 })).toEqual([kept(letter)]);
    });

    it("changes nothing when a position and field come again", async () => {
      const device = newDevice();
      const letter = letterOf(device, 0);
      const again = { ...letter, detail: "other" };
      const secondField = letterOf(device, 0, { index: 1, field: "b" });
      await letters.store([letter]);
      await Promise.all([letters.store([again, secondField, secondField]), letters.store([secondField, again])]);
      expect(await find({ device, limit: 10 })).toEqual([kept(letter), kept(secondField)]);
      await letters.store([]);
    });

    it("keeps any words and any bytes exactly", async () => {
      const text = fc.string({ unit: "binary", maxLength: 30 });
      const hostile = [
        "\u0000",
        "\ud800",
        "\udc00\ud800",
        "\\",
        "\\u0000",
        "\\\\u0000",
        "",
        "NULL",
        '{"a"}',
        "'; --",
        "🌡",
      ];
      const arbitrary = fc.record({
        detail: fc.oneof(text, fc.constantFrom(...hostile)),
        field: fc.oneof(text, fc.constantFrom(...hostile)),
        raw: fc.uint8Array({ maxLength: 300 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(arbitrary, { minLength: 1, maxLength: 12 }), async (some) => {
          const device = newDevice();
          const stored = some.map((over, index) => letterOf(device, index, { ...over, index }));
          await letters.store(stored);
          expect(await find({ device, limit: 100 })).toEqual(stored.reverse().map(kept));
        }),
        { numRuns: 60 },
      );
    });

    it("finds by reason and device", async () => {
      const [device, other] = [newDevice(), `${newDevice()}\u0000\ud800`];
      const stored = [
        letterOf(device, 0, { reason: "badTime" }),
        letterOf(device, 1, { reason: "badName" }),
        letterOf(other, 2, { reason: "badTime" }),
      ];
      await letters.store(stored);
      expect(await find({ device, limit: 10 })).toEqual([kept(stored[1]!), kept(stored[0]!)]);
      expect(await find({ device, reason: "badTime", limit: 10 })).toEqual([kept(stored[0]!)]);
      expect(await find({ device: other, limit: 10 })).toEqual([kept(stored[2]!)]);
      expect(await find({ device, reason: "tooDeep", limit: 10 })).toEqual([]);
    });

    it("finds newest first, page by page, without repeating or leaving out", async () => {
      const device = newDevice();
      const stored = Array.from({ length: 43 }, (_, index) =>
        letterOf(device, index, { ingestTime: 1_700_000_000_000 + Math.floor(index / 15), index }),
      );
      await letters.store(stored);
      const expected = [...stored].sort((a, b) => b.ingestTime - a.ingestTime || (a.id < b.id ? 1 : -1));
      const found: KeptDeadLetter[] = [];
      for (;;) {
        const last = found.at(-1);
        const page = await find({
          device,
          limit: 10,
          ...(last && { after: { ingestTime: last.ingestTime, id: last.id } }),
        });
        if (page.length === 0) break;
        found.push(...page);
      }
      expect(found).toEqual(expected.map(kept));
    });

    it("takes a thousand large letters at once", async () => {
      const device = newDevice();
      const raw = new Uint8Array(64 * 1024).fill(0x7b);
      await letters.store(Array.from({ length: 1000 }, (_, offset) => letterOf(device, offset, { raw })));
      const found = await letters.find({ device, limit: 1000 });
      expect(found.length).toBe(1000);
      expect(found.every((letter) => letter.raw.byteLength === raw.byteLength)).toBe(true);
    });

    it("removes what the log took before a moment", async () => {
      const device = newDevice();
      // Before everything else in this suite, so that only these are removed.
      const stored = [1000, 1999, 2000].map((ingestTime, offset) => letterOf(device, offset, { ingestTime }));
      await letters.store(stored);
      expect(await letters.removeBefore(2000)).toBe(2);
      expect(await letters.removeBefore(2000)).toBe(0);
      expect(await find({ device, limit: 10 })).toEqual([kept(stored[2]!)]);
    });

    it("finds by field, by id, by status, by time", async () => {
      const device = newDevice();
      const whole = letterOf(device, 0);
      const a = letterOf(device, 1, { field: "a", index: 0 });
      const b = letterOf(device, 1, { field: "b\u0000\ud800", index: 1 });
      await letters.store([whole, a, b]);
      const ids = async (query: object) => (await find({ device, limit: 10, ...query })).map(({ id }) => id);
      expect(await ids({ field: null })).toEqual([whole.id]);
      expect(await ids({ field: "b\u0000\ud800" })).toEqual([b.id]);
      expect(await ids({ ids: [whole.id, "none"] })).toEqual([whole.id]);
      expect(await ids({ ids: [] })).toEqual([]);
      expect(await ids({ until: whole.ingestTime })).toEqual([whole.id]);
      await letters.change([changeOf(a, { to: "discarded" })]);
      expect(await ids({ status: "open" })).toEqual([b.id, whole.id]);
      expect(await ids({ status: "discarded" })).toEqual([a.id]);
      expect(await ids({ status: "open", after: { ingestTime: b.ingestTime, id: b.id } })).toEqual([whole.id]);
    });

    it("moves a letter only from what the change says, and keeps its history", async () => {
      const device = newDevice();
      const letter = letterOf(device, 0);
      await letters.store([letter]);
      const sent = eventOf("sent", { detail: "\u0000 half \ud800 \\ 🌡", edited: true });
      const claim = changeOf(letter, { to: "replaying", event: sent, sends: true, job: "job-1" });
      expect(await letters.change([claim])).toEqual(new Set([letter.id]));
      expect(await letters.change([claim])).toEqual(new Set());
      expect(await letters.change([{ ...claim, from: ["replaying"] }]), "another sending since").toEqual(new Set());
      expect(await letters.change([{ ...claim, id: "none" }])).toEqual(new Set());
      expect(await one(letter.id)).toEqual({
        ...letter,
        status: "replaying",
        replays: 1,
        replayedAs: null,
        changedAt: sent.time,
        history: [sent],
      });
      const refused = eventOf("refused", { time: sent.time + 5 });
      const settle = {
        id: letter.id,
        from: ["open", "replaying"],
        replays: 1,
        to: "replayed",
        event: refused,
      } as const;
      expect(await letters.change([{ ...settle, replayedAs: "other" }])).toEqual(new Set([letter.id]));
      expect(await one(letter.id)).toMatchObject({
        status: "replayed",
        replays: 1,
        replayedAs: "other",
        changedAt: refused.time,
        history: [sent, refused],
      });
      expect(await letters.change([])).toEqual(new Set());
    });

    it("lets one of many at the same letters succeed, each letter for itself", async () => {
      const device = newDevice();
      const stored = Array.from({ length: 60 }, (_, index) => letterOf(device, index));
      await letters.store(stored);
      const claims = (some: readonly DeadLetter[]) =>
        letters.change(some.map((letter) => changeOf(letter, { to: "replaying", sends: true })));
      const moved = await Promise.all([claims(stored), claims(stored.slice(20)), claims(stored), claims(stored)]);
      expect(moved.flatMap((ids) => [...ids]).sort()).toEqual(stored.map(({ id }) => id).sort());
      expect(await letters.count({ device })).toEqual({
        open: 0,
        replaying: 60,
        replayed: 0,
        discarded: 0,
        refused: 0,
      });
      expect((await find({ device, limit: 100 })).every(({ replays, history }) => replays + history.length === 2)).toBe(
        true,
      );
    });

    it("stays as it is when the worker stores it once more", async () => {
      const device = newDevice();
      const letter = letterOf(device, 0);
      await letters.store([letter]);
      await letters.change([changeOf(letter, { to: "discarded" })]);
      const before = await one(letter.id);
      await letters.store([letter]);
      expect(await one(letter.id)).toEqual(before);
      expect(before.status).toBe("discarded");
    });

    it("keeps where a letter comes from, and the newest of a long history", async () => {
      const device = newDevice();
      const history = Array.from({ length: MOST_EVENTS }, (_, i) => eventOf("sent", { time: 1000 + i }));
      const letter = { ...letterOf(device, 0), replayOf: "before", replays: 7, history };
      await letters.store([letter]);
      expect(await one(letter.id)).toEqual(kept(letter));
      const event = eventOf("discarded");
      await letters.change([{ ...changeOf(letter, { to: "discarded", event }), replays: 7 }]);
      expect((await one(letter.id)).history).toEqual([...history.slice(1), event]);
    });

    it("counts by status, and what came of a job", async () => {
      const device = newDevice();
      const stored = Array.from({ length: 6 }, (_, index) => letterOf(device, index));
      await letters.store(stored);
      const job = `job of ${device}`;
      await letters.change(stored.slice(0, 3).map((letter) => changeOf(letter, { to: "replaying", sends: true, job })));
      const settle = { from: ["replaying"], replays: 1, to: "replayed", event: eventOf("stored") } as const;
      await letters.change([
        { ...settle, id: stored[0]!.id },
        { ...settle, id: stored[1]!.id, replayedAs: "other" },
      ]);
      await letters.change([changeOf(stored[5]!, { to: "discarded" })]);
      expect(await letters.count({ device })).toMatchObject({ open: 2, replaying: 1, replayed: 2, discarded: 1 });
      expect(await letters.count({ job })).toEqual({ open: 0, replaying: 1, replayed: 2, discarded: 0, refused: 1 });
      expect(await letters.count({ device, status: "open", until: stored[3]!.ingestTime })).toMatchObject({ open: 1 });
    });

    it("groups by reason, device and field, the largest first", async () => {
      const device = newDevice();
      const hour = 3_600_000;
      const trendFrom = 1_700_000_000_000;
      const at = (index: number, ingestTime: number, over: object = {}) =>
        letterOf(device, index, { index, ingestTime, detail: `detail ${index}`, ...over });
      const drift = { reason: "typeDrift", field: "a\u0000" } as const;
      await letters.store([
        at(0, trendFrom - 1, drift),
        at(1, trendFrom, drift),
        at(2, trendFrom + 2.5 * hour, drift),
        at(3, trendFrom + 2.6 * hour, drift),
        at(4, trendFrom + hour, { reason: "typeDrift", field: "b" }),
        at(5, trendFrom + hour),
        at(6, trendFrom + hour),
      ]);
      const first = (await find({ device, ...drift, limit: 1 }))[0]!;
      await letters.change([{ ...changeOf(first, { to: "replaying" }), sends: true }]);
      await letters.change([{ ...changeOf(first, { to: "open" }), from: ["replaying"], replays: 1 }]);
      const query = { device, status: "open", trendFrom } as const;
      const { total, groups } = await letters.groups({ ...query, limit: 2 });
      expect(total).toBe(3);
      expect(groups.map(({ trend, ...group }) => ({ ...group, trend: [...trend].sort(([a], [b]) => a - b) }))).toEqual([
        {
          ...{ device, reason: "typeDrift", field: "a\u0000", count: 4, replays: 1 },
          ...{ firstSeen: trendFrom - 1, lastSeen: trendFrom + 2.6 * hour, example: "detail 3" },
          trend: [
            [0, 1],
            [2, 2],
          ],
        },
        {
          ...{ device, reason: "notJson", field: null, count: 2, replays: 0 },
          ...{ firstSeen: trendFrom + hour, lastSeen: trendFrom + hour, example: "detail 6", trend: [[1, 2]] },
        },
      ]);
      expect(await letters.groups({ ...query, status: "discarded", limit: 5 })).toEqual({ total: 0, groups: [] });
      expect((await letters.groups({ ...query, reason: "notJson", field: null, limit: 5 })).total).toBe(1);
    });

    it("doesn't remove what is being replayed", async () => {
      const device = newDevice();
      const stored = [100, 200, 300].map((ingestTime, offset) => letterOf(device, offset, { ingestTime }));
      await letters.store(stored);
      await letters.change([changeOf(stored[1]!, { to: "replaying", sends: true })]);
      expect(await letters.removeBefore(1000)).toBe(2);
      expect((await find({ device, limit: 10 })).map(({ id }) => id)).toEqual([stored[1]!.id]);
    });
  });
}

function kept(letter: DeadLetter): KeptDeadLetter {
  return { ...letter, status: "open", replayedAs: null, changedAt: null };
}

function eventOf(kind: DeadLetterEvent["kind"], over: Partial<DeadLetterEvent> = {}): DeadLetterEvent {
  return { time: 1_800_000_000_000, kind, detail: "because", edited: false, ...over };
}

/** A change of an open letter that was never sent. */
function changeOf(
  letter: DeadLetter,
  over: Partial<DeadLetterChange> & Pick<DeadLetterChange, "to">,
): DeadLetterChange {
  return { id: letter.id, from: ["open"], replays: 0, event: eventOf("sent"), ...over };
}

/** Bytes of whatever class an adapter answers with, as Uint8Array. */
function plain(letter: KeptDeadLetter): KeptDeadLetter {
  return { ...letter, raw: Uint8Array.from(Buffer.from(letter.raw)) };
}

function newDevice(): string {
  return `device-${++serial}`;
}

function letterOf(
  device: string | null,
  offset: number,
  over: Partial<Pick<DeadLetter, "detail" | "field" | "ingestTime" | "raw" | "reason">> & { index?: number } = {},
): DeadLetter {
  const { index = null, ...rest } = over;
  const position = { log: `cluster/topic-of-${(device ?? "none").replace(/[^a-z0-9-]/g, "")}/0`, partition: 0, offset };
  const ingestTime = over.ingestTime ?? 1_700_000_000_000 + offset;
  return {
    id: deadLetterId(position, index),
    position,
    reason: "notJson",
    detail: "cannot be read",
    device,
    field: null,
    ingestTime,
    processedTime: ingestTime + 7,
    raw: Uint8Array.of(1, 2, 3),
    ...NEVER_REPLAYED,
    ...rest,
  };
}
