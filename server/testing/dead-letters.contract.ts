import { Buffer } from "node:buffer";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DeadLetter, deadLetterId, type DeadLetters } from "@/server/ports/dead-letters";
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

    async function find(query: Parameters<DeadLetters["find"]>[0]): Promise<readonly DeadLetter[]> {
      return (await letters.find(query)).map(plain);
    }

    it("keeps a letter whole, its bytes included", async () => {
      const device = newDevice();
      const whole = letterOf(device, 1, { raw: Uint8Array.from({ length: 256 }, (_, byte) => byte) });
      const field = letterOf(device, 0, { field: "temperature", index: 3, reason: "typeDrift", raw: new Uint8Array() });
      await letters.store([field, whole]);
      expect(await find({ device, limit: 10 })).toEqual([whole, field]);
    });

    it("keeps a letter that names no device", async () => {
      const letter = letterOf(null, 0, { ingestTime: 4_000_000_000_000 });
      await letters.store([letter]);
      expect(await find({ limit: 1 })).toEqual([letter]);
    });

    it("changes nothing when a position and field come again", async () => {
      const device = newDevice();
      const letter = letterOf(device, 0);
      const again = { ...letter, detail: "other" };
      const secondField = letterOf(device, 0, { index: 1, field: "b" });
      await letters.store([letter]);
      await Promise.all([letters.store([again, secondField, secondField]), letters.store([secondField, again])]);
      expect(await find({ device, limit: 10 })).toEqual([letter, secondField]);
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
          expect(await find({ device, limit: 100 })).toEqual(stored.reverse());
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
      expect(await find({ device, limit: 10 })).toEqual([stored[1], stored[0]]);
      expect(await find({ device, reason: "badTime", limit: 10 })).toEqual([stored[0]]);
      expect(await find({ device: other, limit: 10 })).toEqual([stored[2]]);
      expect(await find({ device, reason: "tooDeep", limit: 10 })).toEqual([]);
    });

    it("finds newest first, page by page, without repeating or leaving out", async () => {
      const device = newDevice();
      const stored = Array.from({ length: 43 }, (_, index) =>
        letterOf(device, index, { ingestTime: 1_700_000_000_000 + Math.floor(index / 15), index }),
      );
      await letters.store(stored);
      const expected = [...stored].sort((a, b) => b.ingestTime - a.ingestTime || (a.id < b.id ? 1 : -1));
      const found: DeadLetter[] = [];
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
      expect(found).toEqual(expected);
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
      expect(await find({ device, limit: 10 })).toEqual([stored[2]]);
    });
  });
}

/** Bytes of whatever class an adapter answers with, as Uint8Array. */
function plain(letter: DeadLetter): DeadLetter {
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
    ...rest,
  };
}
