import { expect, test } from "vitest";
import { createLedger, type SentMessage } from "./ledger";
import { compare } from "./verify";

const message = (device: string, time: number): SentMessage => ({ device, time, readings: { a: 1, b: true } });
const sample = (device: string, time: number, readings = 2, metrics = readings) => ({
  device,
  time,
  readings,
  metrics,
});

function ledgerOf(...messages: SentMessage[]) {
  const ledger = createLedger();
  for (const one of messages) ledger.acknowledge(one);
  return ledger;
}

test("all there, once", () => {
  const ledger = ledgerOf(message("d", 1), message("d", 2));
  const none = new Set<string>();
  expect(compare(ledger, [sample("d", 1), sample("d", 2)], none)).toEqual({
    ...{ stored: 4, lost: 0, deadReadings: 0, repeated: 0, strangers: [] },
  });
});

test("a message, or one reading of it, that isn't stored is lost, unless a dead letter has it", () => {
  const ledger = ledgerOf(message("d", 1), message("d", 2), message("e", 1));
  const samples = [sample("d", 2, 1)];
  expect(compare(ledger, samples, new Set())).toMatchObject({ stored: 1, lost: 5, deadReadings: 0 });
  expect(compare(ledger, samples, new Set(["e 1"]))).toMatchObject({ stored: 1, lost: 3, deadReadings: 2 });
});

test("a metric twice in a sample counts twice; a sample nobody was told of is named", () => {
  const ledger = ledgerOf(message("d", 1));
  expect(compare(ledger, [sample("d", 1, 3, 2)], new Set())).toMatchObject({ stored: 2, lost: 0, repeated: 1 });
  expect(compare(ledger, [sample("d", 1), sample("d", 9)], new Set()).strangers).toEqual([
    "d at 1970-01-01T00:00:00.009Z",
  ]);
});

test("the ledger refuses the same event time of a device twice, and keeps the newest", () => {
  const ledger = ledgerOf(message("d", 5), message("d", 3));
  expect(ledger.newest.get("d")?.time).toBe(5);
  expect(ledger).toMatchObject({ messages: 2, readings: 4 });
  expect(() => ledger.acknowledge(message("d", 3))).toThrow(/twice/);
});
