import fc from "fast-check";
import { expect, it } from "vitest";
import { changeOf, type DeadLettersBench, kept, letterOf } from "./bench";

/** Defines the tests that what comes in is kept exactly, once, and until it is removed. */
export function keepingContract(bench: DeadLettersBench): void {
  it("keeps a letter whole, its bytes included", async () => {
    const device = bench.newDevice();
    const whole = letterOf(device, 1, { raw: Uint8Array.from({ length: 256 }, (_, byte) => byte) });
    const ofSite = letterOf(device, 2, { senderSite: "Werk Süd \\ 2" });
    const field = letterOf(device, 0, { field: "temperature", index: 3, reason: "typeDrift", raw: new Uint8Array() });
    await bench.letters.store([field, whole, ofSite]);
    expect(await bench.find({ device, limit: 10 })).toEqual([kept(ofSite), kept(whole), kept(field)]);
  });

  it("keeps a letter that names no device", async () => {
    const letter = letterOf(null, 0, { ingestTime: 4_000_000_000_000 });
    await bench.letters.store([letter]);
    expect(await bench.find({ limit: 1 })).toEqual([kept(letter)]);
    expect(await bench.find({ device: null, limit: 1 })).toEqual([kept(letter)]);
  });

  it("erases the letters of a device, and those that name none and hold its name", async () => {
    const [gone, other] = [`pump-of-${bench.newDevice()}`, `pump-of-${bench.newDevice()}`];
    const unread = (offset: number, text: string, over = {}) =>
      letterOf(null, 70_000 + offset, { raw: new TextEncoder().encode(text), ...over });
    const stays = [letterOf(other, 0), unread(0, `{"device":"${other}" nope`), unread(1, `of ${gone}0`)];
    await bench.letters.store([
      ...[letterOf(gone, 0), letterOf(gone, 1), unread(2, `{"device":"${gone}" nope`)],
      ...[unread(3, "nope", { detail: `key ${gone} at fault` }), ...stays],
    ]);
    expect(await bench.letters.countOf(gone)).toBe(4);
    expect(await bench.letters.erase(gone)).toBe(4);
    expect([await bench.letters.countOf(gone), await bench.letters.erase(gone)]).toEqual([0, 0]);
    expect(await bench.find({ ids: stays.map(({ id }) => id), limit: 10 })).toHaveLength(3);
  });

  it("changes nothing when a position and field come again", async () => {
    const device = bench.newDevice();
    const letter = letterOf(device, 0);
    const again = { ...letter, detail: "other" };
    const secondField = letterOf(device, 0, { index: 1, field: "b" });
    await bench.letters.store([letter]);
    const { letters } = bench;
    await Promise.all([letters.store([again, secondField, secondField]), letters.store([secondField, again])]);
    expect(await bench.find({ device, limit: 10 })).toEqual([kept(letter), kept(secondField)]);
    await bench.letters.store([]);
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
        const device = bench.newDevice();
        const stored = some.map((over, index) => letterOf(device, index, { ...over, index }));
        await bench.letters.store(stored);
        expect(await bench.find({ device, limit: 100 })).toEqual(stored.reverse().map(kept));
      }),
      { numRuns: 60 },
    );
  });

  it("takes a thousand large letters at once", async () => {
    const device = bench.newDevice();
    const raw = new Uint8Array(64 * 1024).fill(0x7b);
    await bench.letters.store(Array.from({ length: 1000 }, (_, offset) => letterOf(device, offset, { raw })));
    const found = await bench.letters.find({ sites: "all", device, limit: 1000 });
    expect(found.length).toBe(1000);
    expect(found.every((letter) => letter.raw.byteLength === raw.byteLength)).toBe(true);
  });

  it("removes what the log took before a moment", async () => {
    const device = bench.newDevice();
    // Before everything else in this suite, so that only these are removed.
    const stored = [1000, 1999, 2000].map((ingestTime, offset) => letterOf(device, offset, { ingestTime }));
    await bench.letters.store(stored);
    expect(await bench.letters.removeBefore(2000, 1)).toBe(1);
    expect(await bench.letters.removeBefore(2000, 10)).toBe(1);
    expect(await bench.letters.removeBefore(2000, 10)).toBe(0);
    expect(await bench.find({ device, limit: 10 })).toEqual([kept(stored[2]!)]);
  });

  it("doesn't remove what is being resent", async () => {
    const device = bench.newDevice();
    const stored = [100, 200, 300].map((ingestTime, offset) => letterOf(device, offset, { ingestTime }));
    await bench.letters.store(stored);
    await bench.letters.change([changeOf(stored[1]!, { to: "resending", sends: true })]);
    expect(await bench.letters.removeBefore(1000, 10)).toBe(2);
    expect((await bench.find({ device, limit: 10 })).map(({ id }) => id)).toEqual([stored[1]!.id]);
  });
}
