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
      const expected = [...messages].sort(
        (a, b) =>
          b.ingestTime - a.ingestTime ||
          b.position.partition - a.position.partition ||
          b.position.offset - a.position.offset,
      );
      const found: ArchivedMessage[] = [];
      for (;;) {
        const last = found.at(-1);
        const page = await archive.find({
          device,
          limit: 10,
          ...(last && {
            after: { ingestTime: last.ingestTime, partition: last.position.partition, offset: last.position.offset },
          }),
        });
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(10);
        found.push(...page);
      }
      expect(found).toEqual(expected);
    });

    it("takes thousands at once", async () => {
      const device = newDevice();
      const messages = Array.from({ length: 5000 }, (_, index) => messageOf(device, index));
      await Promise.all([archive.store(messages), archive.store(messages)]);
      expect(await archive.find({ device, limit: 6000 })).toEqual(messages.reverse());
    });

    it("removes what the log took before a moment", async () => {
      const device = newDevice();
      // Before everything else in this suite, so that only these are removed.
      const messages = [1000, 1999, 2000, 2001].map((ingestTime, index) => messageOf(device, index, { ingestTime }));
      await archive.store(messages);
      expect(await archive.removeBefore(2000, 1)).toBe(1);
      expect(await archive.removeBefore(2000, 10)).toBe(1);
      expect(await archive.removeBefore(2000, 10)).toBe(0);
      expect(await archive.find({ device, limit: 10 })).toEqual([messages[3], messages[2]]);
      expect(await archive.removeBefore(3000, 10)).toBe(2);
    });
  });
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
