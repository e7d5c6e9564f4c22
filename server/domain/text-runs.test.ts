import fc from "fast-check";
import { expect, test } from "vitest";
import { addTexts, dayOf, mostRuns, type TextRun } from "./text-runs";

type Said = readonly [time: number, value: string];

const said = fc.record({ time: fc.integer({ min: 0, max: 60 }), value: fc.constantFrom("a", "b", "c") });
/** Messages of different times. */
const messages = fc
  .uniqueArray(said, { selector: ({ time }) => time, maxLength: 40 })
  .map((all): Said[] => all.map(({ time, value }) => [time, value]));
/** Those messages in some order, in some batches. */
const inBatches = messages.chain((all) =>
  fc
    .tuple(
      fc.shuffledSubarray(all, { minLength: all.length }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 40, maxLength: 40 }),
    )
    .map(([order, sizes]) => {
      const batches: Said[][] = [];
      for (let at = 0, i = 0; at < order.length; at += sizes[i]!, i++) batches.push(order.slice(at, at + sizes[i]!));
      return { all, batches };
    }),
);

/** What a batch finds stored: no more than a statement reads. */
function around(runs: readonly TextRun[], batch: readonly Said[]) {
  const times = batch.map(([time]) => time);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const before = runs.filter(({ from }) => from <= first);
  const after = runs.filter(({ from }) => from > last);
  const end = runs.length - after.length + Math.min(1, after.length);
  const start = Math.max(0, before.length - 2);
  return { start, end };
}

function addBatch(runs: readonly TextRun[], batch: readonly Said[], room?: number): TextRun[] {
  const { start, end } = around(runs, batch);
  return [...runs.slice(0, start), ...addTexts(runs.slice(start, end), batch, room), ...runs.slice(end)];
}

function valueAt(runs: readonly TextRun[], time: number) {
  return runs.find(({ from, to }) => from <= time && time <= to)?.value;
}

function expectWellFormed(runs: readonly TextRun[]) {
  for (const [i, { from, to, value, quiet }] of runs.entries()) {
    expect(from).toBeLessThanOrEqual(to);
    if (quiet) expect([from <= quiet[0], quiet[0] < quiet[1], quiet[1] <= to]).toEqual([true, true, true]);
    if (i === 0) continue;
    expect(from).toBeGreaterThan(runs[i - 1]!.to);
    if (value !== null) expect(value).not.toBe(runs[i - 1]!.value);
  }
}

/** The fewest runs of messages in order of time. */
function fewest(all: readonly Said[]) {
  const runs: { from: number; to: number; value: string }[] = [];
  for (const [time, value] of all.toSorted(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last?.value === value) last.to = time;
    else runs.push({ from: time, to: time, value });
  }
  return runs;
}

const bare = (runs: readonly TextRun[]) => runs.map(({ from, to, value }) => ({ from, to, value }));

test("whatever the order and the batches, each message's time has what it said, and the same messages again change nothing", () => {
  fc.assert(
    fc.property(inBatches, ({ all, batches }) => {
      let runs: readonly TextRun[] = [];
      for (const batch of batches) runs = addBatch(runs, batch);
      expectWellFormed(runs);
      for (const [time, value] of all) expect(valueAt(runs, time)).toBe(value);
      // Nothing quiet holds a message.
      for (const { quiet } of runs)
        if (quiet) expect(all.filter(([time]) => time > quiet[0] && time < quiet[1])).toEqual([]);
      for (const batch of batches) expect(addBatch(runs, batch)).toEqual(runs);
    }),
    { numRuns: 2000 },
  );
});

test("messages in order make the fewest runs, in whatever batches", () => {
  fc.assert(
    fc.property(inBatches, ({ all, batches }) => {
      const order = all.toSorted(([a], [b]) => a - b);
      let runs: readonly TextRun[] = [];
      for (const { length } of batches) runs = addBatch(runs, order.splice(0, length));
      expect(bare(runs)).toEqual(fewest(all));
    }),
  );
});

test("what a device kept back while it was cut off comes between what it said before and after, exactly", () => {
  const live: Said[] = [
    [1000, "auto"],
    [2000, "auto"],
    [90_000, "auto"],
    [91_000, "auto"],
  ];
  const late: Said[] = Array.from({ length: 50 }, (_, i) => [10_000 + i * 1000, "manual"]);
  for (const order of [late, late.toReversed()])
    expect(bare(addTexts(addTexts([], live), order))).toEqual(fewest([...live, ...late]));
});

test("a late message among others parts their run right before and after it, and of two of one time the first stays", () => {
  const runs = addTexts(
    [],
    [10, 20, 30, 40, 50].map((time): Said => [time * 1000, "a"]),
  );
  expect(bare(addTexts(runs, [[35_500, "b"]]))).toEqual([
    { from: 10_000, to: 35_499, value: "a" },
    { from: 35_500, to: 35_500, value: "b" },
    { from: 35_501, to: 50_000, value: "a" },
  ]);
  for (const time of [10_000, 50_000]) expect(addTexts(runs, [[time, "b"]])).toEqual(runs);
  expect(
    bare(
      addTexts(
        [],
        [
          [5, "first"],
          [5, "second"],
        ],
      ),
    ),
  ).toEqual([{ from: 5, to: 5, value: "first" }]);
});

test("without room, runs stay as many as they are, and nothing false is said: what was lost is told of", () => {
  fc.assert(
    fc.property(inBatches, fc.integer({ min: 1, max: 6 }), ({ all, batches }, most) => {
      let runs: readonly TextRun[] = [];
      for (const batch of batches) runs = addBatch(runs, batch, most - runs.length);
      expectWellFormed(runs);
      expect(runs.length).toBeLessThanOrEqual(most);
      for (const [time, value] of all) expect([value, null]).toContain(valueAt(runs, time));
    }),
    { numRuns: 2000 },
  );
});

test("a day that changed too often is told as that to its end, and the next begins anew", () => {
  const day = Date.UTC(2026, 10, 30);
  const noisy = Array.from({ length: 50 }, (_, i): Said => [day + i * 1000, `serial ${i}`]);
  const runs = addTexts([], noisy, 10);
  expect(runs).toHaveLength(10);
  expect(bare(runs).at(-1)).toEqual({ from: day + 9000, to: day + 49_000, value: null });
  const next = addTexts(runs, [[day + 86_400_000, "auto"]], 10);
  expect(bare(next).at(-1)).toEqual({ from: day + 86_400_000, to: day + 86_400_000, value: "auto" });
  expect([dayOf(day + 5), mostRuns(day, day + 5), mostRuns(day + 5, day + 86_400_000)]).toEqual([day, 1000, 2000]);
});
