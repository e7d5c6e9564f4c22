import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";

/** The means of the suite to use the adapter under test. */
export interface DocumentStoreFixture<Store> {
  readonly store: Store;
  close(): Promise<void>;
}

let serial = 0;

/** Defines the tests that every message archive passes. */
export function messageArchiveContract(
  name: string,
  createFixture: () => Promise<DocumentStoreFixture<MessageArchive>>,
) {
  describe(`message archive: ${name}`, () => {
    let fixture: DocumentStoreFixture<MessageArchive>;
    let archive: MessageArchive;
    beforeAll(async () => {
      fixture = await createFixture();
      archive = fixture.store;
    });
    afterAll(() => fixture.close());

    it("keeps a message whole", async () => {
      const device = newDevice();
      const message = messageOf(device, 0, {
        body: '{ "device":"x", "big": 1e400, "nul": "\\u0000", "odd": "\\ud800", "again":1, "again":2, "__proto__": {"é": "🌡"} }\n',
      });
      await archive.store([message]);
      expect(await archive.find({ device, limit: 10 })).toEqual([message]);
    });

    it("keeps a message with NaN and Infinity as bare words whole", async () => {
      const device = newDevice();
      const message = messageOf(device, 0, {
        body: ' { "device":"x",\t"readings": {"a": NaN, "b": -Infinity, "c": "\\u0000 \\ud800 NaN", "big": 1e400, "d": inf } }',
      });
      await archive.store([message, messageOf(device, 1, { body: '{"info":"nan"}' })]);
      expect((await archive.find({ device, limit: 10 })).map(({ body }) => body)).toEqual([
        '{"info":"nan"}',
        message.body,
      ]);
    });

    it("keeps the same of a text and of its bytes in UTF-8", async () => {
      const [device, other] = [newDevice(), newDevice()];
      const bodies = ['{"plain":1}', '{"é":"🌡","odd":"\\ud800"}', "{}"];
      const messages = bodies.map((body, offset) => messageOf(device, offset, { body }));
      const plain = messageOf(other, 0, { body: '{"plain":2}' });
      await archive.store(
        messages.map((message, i) => (i === 2 ? message : { ...message, body: Buffer.from(message.body) })),
      );
      await archive.store([{ ...plain, body: Buffer.from(plain.body) }]);
      expect(await archive.find({ device, limit: 10 })).toEqual(messages.reverse());
      expect(await archive.find({ device: other, limit: 10 })).toEqual([plain]);
    });

    it("stores nothing for nothing", async () => {
      await archive.store([]);
      expect(await archive.find({ device: newDevice(), limit: 10 })).toEqual([]);
    });

    it("ignores a position it has, in another call and in the same", async () => {
      const device = newDevice();
      const first = messageOf(device, 0);
      const second = messageOf(device, 1);
      await archive.store([first]);
      await archive.store([{ ...first, body: '{"other":true}' }, second, { ...second, body: "{}" }]);
      expect(await archive.find({ device, limit: 10 })).toEqual([second, first]);
    });

    it("tells positions of two logs and two partitions apart", async () => {
      const device = newDevice();
      const message = messageOf(device, 0);
      const elsewhere = {
        ...message,
        position: { ...message.position, log: `${message.position.log}-2` },
        ingestTime: message.ingestTime - 1,
      };
      const beside = {
        ...message,
        position: { ...message.position, partition: 7 },
        ingestTime: message.ingestTime - 2,
      };
      await archive.store([message, elsewhere, beside]);
      expect(await archive.find({ device, limit: 10 })).toEqual([message, elsewhere, beside]);
    });

    it("gives any JSON text back exactly", async () => {
      const text = fc.oneof(
        fc.json(),
        fc.string({ unit: "binary" }).map((value) => JSON.stringify({ [value]: value })),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (bodies) => {
          const device = newDevice();
          const messages = bodies.map((body, index) => messageOf(device, index, { body }));
          await archive.store(messages);
          expect(await archive.find({ device, limit: 100 })).toEqual(messages.reverse());
        }),
        { numRuns: 50 },
      );
    });

    it("finds newest first, page by page, without repeating or leaving out", async () => {
      const device = newDevice();
      // Many share an ingest time, as the messages of one append do.
      const messages = Array.from({ length: 57 }, (_, index) =>
        messageOf(device, index % 20, {
          ingestTime: 1_700_000_000_000 + Math.floor(index / 9),
          partition: Math.floor(index / 20),
        }),
      );
      await archive.store(messages);
      await archive.store([messageOf(newDevice(), 0)]);
      expect(await pages(archive, device, 10)).toEqual([...messages].sort(newestFirst));
    });

    it("takes thousands at once", async () => {
      const device = newDevice();
      const messages = Array.from({ length: 5000 }, (_, index) => messageOf(device, index));
      await Promise.all([archive.store(messages), archive.store(messages)]);
      expect(await archive.find({ device, limit: 6000 })).toEqual(messages.reverse());
    });

    it("removes what the log took before a moment, but for what lies together with later messages", async () => {
      const [old, both] = [newDevice(), newDevice()];
      // Before everything else in this suite, so that only these are removed.
      const day = 24 * 3_600_000;
      const messages = [0, 1, 2].map((offset) => messageOf(old, offset, { ingestTime: 1000 + offset * day }));
      const together = [0, 1].map((offset) => messageOf(both, offset, { ingestTime: day + offset }));
      await archive.store(messages);
      await archive.store(together);
      expect(await counted(archive.removeBefore(day + 1))).toBe(1);
      expect(await counted(archive.removeBefore(day + 1))).toBe(0);
      expect(await archive.find({ device: old, limit: 10 })).toEqual([messages[2], messages[1]]);
      expect(await archive.find({ device: both, limit: 10 })).toEqual([together[1], together[0]]);
      expect(await counted(archive.removeBefore(3 * day))).toBe(4);
      expect(await archive.find({ device: old, limit: 10 })).toEqual([]);
    });

    it("erases the messages of a device, merged or not, and no other's", async () => {
      const [gone, other] = [newDevice(), newDevice()];
      const messages = Array.from({ length: 40 }, (_, offset) => messageOf(offset % 2 === 0 ? gone : other, offset));
      for (let at = 0; at < 40; at += 4) await archive.store(messages.slice(at, at + 4));
      // Later, so that they are old enough to be merged.
      await counted(archive.merge(messages[0]!.ingestTime + 2 * 3_600_000));
      await archive.store([messageOf(gone, 40), messageOf(other, 41)]);
      expect(await archive.count(gone)).toBeGreaterThanOrEqual(21);
      expect(await counted(archive.erase(gone))).toBeGreaterThanOrEqual(21);
      expect([await archive.count(gone), await archive.find({ device: gone, limit: 10 })]).toEqual([0, []]);
      expect(await archive.find({ device: other, limit: 100 })).toHaveLength(21);
      expect(await counted(archive.erase(gone))).toBe(0);
    });

    it("keeps messages of any size, many large ones at once included", async () => {
      const device = newDevice();
      const large = "é".repeat(400_000);
      const messages = Array.from({ length: 40 }, (_, offset) =>
        messageOf(device, offset, { body: JSON.stringify({ device, offset, large: large.slice(offset) }) }),
      );
      await archive.store([...messages, messageOf(newDevice(), 40)]);
      expect(await archive.find({ device, limit: 3 })).toEqual(messages.slice(-3).reverse());
      expect(await archive.find({ device, limit: 100 })).toEqual(messages.reverse());
    });

    it("finds the same whatever is stored again, in whatever cut, and merged meanwhile", async () => {
      await fc.assert(
        fc.asyncProperty(storing, async ({ ingestSteps, devices, writes }) => {
          const names = devices.map(() => newDevice());
          const log = `cluster/topic-${++serial}/0`;
          const all = ingestSteps.map((step, offset): ArchivedMessage => {
            const device = names[step % names.length]!;
            const ingestTime = DAY_START + (offset * 1000 + step) * 3000;
            return {
              position: { log, partition: devices[step % names.length]!, offset },
              ...{ device, eventTime: step * 7, ingestTime, processedTime: DAY_START + offset },
              body: `{"device":"${device}","n":${step}}`,
            };
          });
          const stored = new Set<ArchivedMessage>();
          let later = 0;
          for (const { from, length, merge } of writes) {
            const batch = all.slice(from, from + length);
            // What comes again was handled later; the first stays.
            await archive.store(
              batch.map((message) =>
                stored.has(message) ? { ...message, processedTime: Date.now() + later++ } : message,
              ),
            );
            for (const message of batch) stored.add(message);
            if (merge !== null) await counted(archive.merge(DAY_START + merge * 3_600_000));
          }
          for (const device of names) {
            const expected = [...stored].filter((message) => message.device === device).sort(newestFirst);
            expect(await pages(archive, device, 7)).toEqual(expected);
          }
        }),
        { numRuns: 20 },
      );
    }, 120_000);

    it("finds a device that is rare, and one that is everywhere, among many days", async () => {
      const [rare, usual] = [newDevice(), newDevice()];
      const log = `cluster/topic-${++serial}/0`;
      const all = Array.from({ length: 600 }, (_, offset) => ({
        ...messageOf(offset % 100 === 7 ? rare : usual, offset, { ingestTime: DAY_START + offset * 6 * 3_600_000 }),
        position: { log, partition: 1, offset },
      }));
      for (let start = 0; start < all.length; start += 25) await archive.store(all.slice(start, start + 25));
      await counted(archive.merge(DAY_START + 600 * 6 * 3_600_000));
      for (const device of [rare, usual])
        expect(await pages(archive, device, 50)).toEqual(
          all.filter((message) => message.device === device).sort(newestFirst),
        );
    });
  });
}

/** A day of the suite's, with hours before and after it. */
const DAY_START = Date.UTC(2024, 4, 1);

const storing = fc.record({
  ingestSteps: fc.array(fc.nat(20_000), { minLength: 1, maxLength: 60 }),
  devices: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
  writes: fc.array(
    fc.record({
      from: fc.nat(59),
      length: fc.integer({ min: 1, max: 60 }),
      merge: fc.option(fc.nat(72)),
    }),
    { maxLength: 12 },
  ),
});

/** All of a device's messages, by pages. */
export async function pages(
  archive: Pick<MessageArchive, "find">,
  device: string,
  limit: number,
): Promise<readonly ArchivedMessage[]> {
  const found: ArchivedMessage[] = [];
  for (;;) {
    const last = found.at(-1);
    const page = await archive.find({
      ...{ device, limit },
      ...(last && {
        after: { ingestTime: last.ingestTime, partition: last.position.partition, offset: last.position.offset },
      }),
    });
    if (page.length === 0) return found;
    expect(page.length).toBeLessThanOrEqual(limit);
    found.push(...page);
  }
}

/** The sum of what was done in steps. */
export async function counted(steps: AsyncIterable<number>): Promise<number> {
  let sum = 0;
  for await (const step of steps) sum += step;
  return sum;
}

function newestFirst(a: ArchivedMessage, b: ArchivedMessage): number {
  return (
    b.ingestTime - a.ingestTime || b.position.partition - a.position.partition || b.position.offset - a.position.offset
  );
}

function newDevice(): string {
  return `device-${++serial}`;
}

function messageOf(
  device: string,
  offset: number,
  over: { body?: string; ingestTime?: number; partition?: number } = {},
): ArchivedMessage {
  const ingestTime = over.ingestTime ?? 1_700_000_000_000 + offset;
  return {
    position: { log: `cluster/topic-of-${device}/0`, partition: over.partition ?? 0, offset },
    device,
    eventTime: 1_600_000_000_123 + offset,
    ingestTime,
    processedTime: ingestTime + 5,
    body: over.body ?? `{"device":"${device}","n":${offset}}`,
  };
}
