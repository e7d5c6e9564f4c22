import { describe, expect, test } from "vitest";
import {
  bytesIn,
  estimate,
  leversOf,
  type Measured,
  neededFor,
  perDay,
  perMessage,
  type Prices,
  totalOf,
} from "./cost";

const GIB = 1024 ** 3;
/** 100 days old, 1,000 messages a day of 7 readings: 36 bytes a reading for ever, 60 bytes of archive kept for 30 days. */
const measured: Measured = {
  bytes: { raw: 100_000 * 250, messages: 30_000 * 60, log: 7_000 * 40, cold: 0 },
  ...{ free: {}, empty: {} },
  ...{ messages: 100_000, readings: 700_000, messagesPerDay: 1000 },
  plan: { days: { raw: null, messages: 30, log: 7, cold: null }, coldAfterDays: null },
};
const prices: Prices = { provider: "p", vcpu: 30, memoryGiB: 4, diskGiB: 0.1, objectGiB: 0.02, spotDiscount: 0.6 };

describe("what a store will take", () => {
  test("grows with what comes where it is kept for ever, and stays where as much goes as comes", () => {
    expect(perMessage(measured, "raw")).toBe(250);
    expect(perMessage(measured, "messages")).toBe(60);
    const year = bytesIn(measured, 365);
    expect([year.get("raw"), year.get("messages"), year.get("log")]).toEqual([465_000 * 250, 30_000 * 60, 7_000 * 40]);
  });

  test("what merging freed is no message's, and stays as it is", () => {
    const freed = { ...measured, bytes: { raw: 100_000 * 250 + 5e6 }, free: { raw: 5e6 } };
    expect(perMessage(freed, "raw")).toBe(250);
    expect([bytesIn(freed, 0).get("raw"), bytesIn(freed, 365).get("raw")]).toEqual([30e6, 465_000 * 250 + 5e6]);
  });

  test("what tables take empty is no message's, and stays; of which too little is there, it isn't told what it will take", () => {
    const few = {
      ...measured,
      bytes: { raw: 100_000 * 250 + 5e6, deadLetters: 98_304 },
      empty: { raw: 5e6, deadLetters: 98_304 },
    };
    expect([perMessage(few, "raw"), perMessage(few, "deadLetters")]).toEqual([250, null]);
    const year = bytesIn(few, 365);
    expect([year.get("raw"), year.get("deadLetters")]).toEqual([465_000 * 250 + 5e6, 98_304]);
  });

  test("a young installation fills up to what it keeps", () => {
    const young = { ...measured, messages: 1000, bytes: { messages: 60_000 } };
    expect(bytesIn(young, 10).get("messages")).toBe(11_000 * 60);
    expect(bytesIn(young, 365).get("messages")).toBe(30_000 * 60);
  });

  test("readings that go to cold storage take what was measured there, or what a Parquet file usually takes", () => {
    const plan = { ...measured.plan, coldAfterDays: 30 };
    const year = bytesIn(measured, 365, plan);
    expect(year.get("raw")).toBe(30_000 * 250);
    expect(year.get("cold")).toBe(435_000 * 7 * 3.5);
    const kept = { ...measured, plan, bytes: { ...measured.bytes, raw: 30_000 * 250, cold: 70_000 * 21 } };
    expect(bytesIn(kept, 365).get("cold")).toBe(435_000 * 21);
  });

  test("while nothing comes it stays as it is", () => {
    expect(totalOf(bytesIn({ ...measured, messagesPerDay: 0 }, 365))).toBe(
      totalOf(bytesIn({ ...measured, messagesPerDay: 0 }, 0)),
    );
    expect(perMessage({ ...measured, messages: 0, readings: 0, bytes: {} }, "raw")).toBeNull();
  });
});

test("messages a day are those of the time observed, of a day at most, and not told of less than ten minutes", () => {
  const MINUTE = 60_000;
  expect(perDay(1000, 20 * MINUTE)).toBe(72_000);
  expect(perDay(1000, 48 * 60 * MINUTE)).toBe(1000);
  expect(perDay(1000, null)).toBe(1000);
  expect(perDay(1000, 9 * MINUTE)).toBeNull();
  expect(bytesIn({ ...measured, messagesPerDay: null }, 365)).toEqual(bytesIn(measured, 0));
});

test("a month costs the machine, the disk with free room, and objects", () => {
  const bytes = new Map([["raw", 10 * GIB] as const, ["cold", 100 * GIB] as const]);
  const found = estimate(bytes, { vcpus: 2, memoryGiB: 8 }, prices);
  expect(found).toEqual({ machine: 92, disk: 10 * 1.3 * 0.1, objects: 2, total: 92 + 1.3 + 2 });
});

test("levers say what they save here, and those that save nothing are left out", () => {
  const machine = { vcpus: 4, memoryGiB: 16 };
  const needed = { vcpus: 1, memoryGiB: 4 };
  const found = leversOf(measured, { machine, needed }, [prices]);
  expect(found.map(({ lever }) => lever)).toEqual([
    "rawRetention",
    "messageRetention",
    "coldTier",
    "rightSize",
    "spot",
  ]);
  expect(found[0]!.bytesSaved).toBe((465_000 - 90_000) * 250);
  expect(found[1]!.bytesSaved).toBe(23_000 * 60);
  expect(found[3]!.saved).toEqual([{ provider: "p", amount: 3 * 30 + 12 * 4 }]);
  // A quarter of a processor, and 576 MiB.
  expect(found[4]!.saved[0]!.amount).toBeCloseTo((30 / 4 + 0.5625 * 4) * 0.6, 9);
  const lean: Measured = {
    ...measured,
    bytes: { raw: 1000 },
    plan: { days: { raw: 30 }, coldAfterDays: null },
  };
  expect(leversOf(lean, { machine: needed, needed }, [{ ...prices, spotDiscount: 0 }])).toEqual([]);
});

test("a machine is called too large only if it holds what is needed, in processors and in memory", () => {
  const levers = (load: number, usedGiB: number) =>
    leversOf(measured, { machine: { vcpus: 2, memoryGiB: 15.6 }, needed: neededFor(load, usedGiB) }, [prices]).map(
      ({ lever }) => lever,
    );
  expect(neededFor(7.47, 5.1)).toEqual({ vcpus: 15, memoryGiB: 8 });
  expect(neededFor(0.1, 0.2)).toEqual({ vcpus: 1, memoryGiB: 2 });
  expect(levers(0.9, 5)).toContain("rightSize");
  expect(levers(7.47, 5)).not.toContain("rightSize");
  expect(levers(0.2, 14)).not.toContain("rightSize");
});
