import fc from "fast-check";
import { expect, it } from "vitest";
import type { Block } from "../blocks";
import { columnNames, createPartWriter, readFooter, readGroup } from "./part-file";

const metrics = [
  { id: 3, name: "temperature" },
  { id: 5, name: "time" },
  { id: 9, name: "a.b:c-d" },
];
const columns = [...columnNames(metrics)].map(([metric, name]) => ({ metric, name }));

async function readAll(bytes: Uint8Array) {
  const read = async (from: number, to: number) => bytes.slice(from, to);
  const footer = await readFooter(bytes.length, read);
  const times: number[] = [];
  const values: number[][] = columns.map(() => []);
  for (const group of footer.groups) {
    const rows = await readGroup(
      footer,
      group,
      columns.map((_, place) => place),
      read,
    );
    times.push(...rows.times);
    rows.values.forEach((column, i) => values[i]!.push(...column));
  }
  return { times, values, footer };
}

function blockOf(
  device: number,
  times: readonly number[],
  metrics: readonly number[],
  values: readonly number[],
): Block {
  return { device, times: Float64Array.from(times), metrics, values: Float64Array.from(values) };
}

it("keeps every bit of every value", async () => {
  const start = Date.UTC(2026, 7, 1);
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(-0, 0, 1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53 + 2, NaN),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 1e9 }), value, value, value), { minLength: 1 }),
      async (rows) => {
        const moments = [...new Map(rows.map((row) => [row[0], row])).values()].sort((a, b) => a[0] - b[0]);
        const part = createPartWriter(columns);
        const times = moments.map(([at]) => start + at);
        part.add(
          "press-07",
          blockOf(
            7,
            times,
            [3, 5, 9],
            [1, 2, 3].flatMap((m) => moments.map((row) => row[m]!)),
          ),
        );
        const back = await readAll(part.finish().bytes);
        expect(back.times).toEqual(times);
        back.values.forEach((column, m) => moments.forEach((row, i) => expect(column[i]).toBe(row[m + 1])));
      },
    ),
    { numRuns: 50 },
  );
});

it("says where each device's rows are, how many readings they hold and what those add up to", async () => {
  const start = Date.UTC(2026, 7, 1);
  const part = createPartWriter(columns);
  const seconds = (from: number, count: number) => Array.from({ length: count }, (_, i) => start + (from + i) * 1000);
  part.add("a", blockOf(1, seconds(0, 3), [3, 9], [1, NaN, 3, 0.5, 0.25, NaN]));
  part.add("a", blockOf(1, seconds(10, 30_000), [3], new Array<number>(30_000).fill(2)));
  part.add("b", blockOf(2, seconds(5, 1), [5], [7]));
  expect(part.readings).toBe(30_005);
  const { bytes, rows, devices } = part.finish();
  expect(rows).toBe(30_004);
  expect(devices).toEqual([
    {
      device: 1,
      firstRow: 0,
      rows: 30_003,
      from: start,
      to: start + 30_009_000,
      counts: [30_002, 0, 2],
      sums: [60_004, 0, 0.75],
    },
    { device: 2, firstRow: 30_003, rows: 1, from: start + 5000, to: start + 5000, counts: [0, 1, 0], sums: [0, 7, 0] },
  ]);
  const { footer, times, values } = await readAll(bytes);
  expect(footer.groups).toEqual([
    { first: 0, rows: 20_000, from: start, to: start + 20_006_000 },
    { first: 20_000, rows: 10_004, from: start + 5000, to: start + 30_009_000 },
  ]);
  expect(times.at(-1)).toBe(start + 5000);
  expect(values[1]!.at(-1)).toBe(7);
});

it("reads a little of a file for a little of its readings", async () => {
  const part = createPartWriter(columns);
  const start = Date.UTC(2026, 7, 1);
  const times = Array.from({ length: 100_000 }, (_, i) => start + i * 1000);
  part.add(
    "a",
    blockOf(
      1,
      times,
      [3, 5, 9],
      [...times, ...times, ...times].map((time, i) => Math.sin(time * i)),
    ),
  );
  const { bytes } = part.finish();
  let fetched = 0;
  const read = async (from: number, to: number) => {
    fetched += to - from;
    return bytes.slice(from, to);
  };
  const footer = await readFooter(bytes.length, read);
  const { values } = await readGroup(footer, footer.groups[2]!, [1], read);
  expect(values[0]![17]).toBe(Math.sin(times[40_017]! * 140_017));
  expect(fetched).toBeLessThan(bytes.length / 3);
});
