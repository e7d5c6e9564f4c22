import { expect, it } from "vitest";
import type { ArchivedMessage } from "@/server/ports/message-archive";
import { deviceMark, packBlocks, sectionsOf, unpackBlock } from "./block";

function messageOf(offset: number, over: Partial<ArchivedMessage> = {}): ArchivedMessage {
  const times = { eventTime: offset, ingestTime: offset, processedTime: offset };
  return { position: { log: "c/t/0", partition: 3, offset }, device: "d", body: "{}", ...times, ...over };
}

it("numbers of any size come back as they were", () => {
  const most = Number.MAX_SAFE_INTEGER;
  const times = [0, -1, 63, 64, -64, 8191, 8192, 2 ** 31, -(2 ** 40), 253_402_300_799_999, -62_135_596_800_000];
  const messages = times.map((eventTime, i) =>
    messageOf(most - 100 + i, { eventTime, ingestTime: 1_700_000_000_000 + i, processedTime: -eventTime + 1 }),
  );
  const [block] = packBlocks(messages);
  expect(unpackBlock(block!)).toEqual(messages);
  expect(block).toMatchObject({ first: most - 100, last: most - 90, messages: times.length });
});

it("of one position the message that was handled first is kept, and the first of those handled at once", () => {
  const first = messageOf(1, { processedTime: 5 });
  const blocks = packBlocks([{ ...first, processedTime: 7, body: "[]" }, messageOf(0), first, { ...first, body: "1" }]);
  expect(blocks.flatMap((block) => unpackBlock(block))).toEqual([messageOf(0), first]);
});

it("a device's messages are in the sections that are looked at, and few others are", () => {
  const body = JSON.stringify("x".repeat(1000));
  const devices = Array.from({ length: 300 }, (_, i) => `device-${i}`);
  const messages = Array.from({ length: 3000 }, (_, i) => messageOf(i, { device: devices[i % 300]!, body }));
  // One has more than a section holds.
  for (let i = 3000; i < 3900; i++) messages.push(messageOf(i, { device: "device-7", body }));
  const [block] = packBlocks(messages);
  expect(block!.sectionEnds.length).toBeGreaterThan(20);
  for (const device of devices) {
    expect(unpackBlock(block!, device)).toEqual(messages.filter((message) => message.device === device));
    const [from, to] = sectionsOf(block!, deviceMark(device));
    expect(to - from).toBeLessThanOrEqual(device === "device-7" ? 17 : 2);
  }
  expect(unpackBlock(block!, "another")).toEqual([]);
});

it("devices that share a mark are told apart", () => {
  const byMark = new Map<number, string>();
  let pair: [string, string] | undefined;
  for (let i = 0; pair === undefined; i++) {
    const name = `sensor-${i * 7919}-${i % 13}`;
    const other = byMark.get(deviceMark(name));
    if (other !== undefined) pair = [other, name];
    byMark.set(deviceMark(name), name);
  }
  const messages = [0, 1, 2, 3].map((i) => messageOf(i, { device: pair![i % 2]! }));
  const [block] = packBlocks(messages);
  expect(block!.devices).toEqual([deviceMark(pair[0])]);
  expect(unpackBlock(block!, pair[0])).toEqual([messages[0], messages[2]]);
  expect(unpackBlock(block!, pair[1])).toEqual([messages[1], messages[3]]);
});

it("a batch is cut where a block is full, and where another log, partition or day begins", () => {
  const day = 24 * 3_600_000;
  const body = JSON.stringify("x".repeat(1_000_000));
  const large = Array.from({ length: 10 }, (_, i) => messageOf(i, { body }));
  const others = [
    messageOf(10, { ingestTime: day }),
    messageOf(11, { ingestTime: day - 1 }),
    messageOf(12, { ingestTime: -1 }),
    messageOf(0, { position: { log: "c/t/1", partition: 3, offset: 0 } }),
    messageOf(0, { position: { log: "c/t/0", partition: 4, offset: 0 } }),
  ];
  const blocks = packBlocks([...large, ...others]);
  expect(blocks.map(({ log, partition, day: of, first, last }) => [log, partition, of, first, last])).toEqual([
    ["c/t/0", 3, 0, 0, 3],
    ["c/t/0", 3, 0, 4, 7],
    ["c/t/0", 3, 0, 8, 11],
    ["c/t/0", 3, 1, 10, 10],
    ["c/t/0", 3, -1, 12, 12],
    ["c/t/1", 3, 0, 0, 0],
    ["c/t/0", 4, 0, 0, 0],
  ]);
});
