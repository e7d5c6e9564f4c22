import { beforeEach, expect, test } from "vitest";
import { TEXT_RUNS } from "@/server/domain/text-runs";
import { withTransaction } from "@/server/postgres/transaction";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import type { Rig } from "@/server/testing/pipeline-rig";
import { readTextRuns } from "./text-history";

const bench = pipelineBench({ partitions: 2 });
const NOON = Date.UTC(2026, 0, 15, 12);
const MINUTE = 60_000;
let rig: Rig;
beforeEach(async () => {
  rig = await bench.rig();
});

/** What a device says `at` minutes after noon. */
const say = (at: number, texts: Readonly<Record<string, unknown>>, { device = "press-1", partition = 0 } = {}) =>
  bench.log.append(partition, { device, time: NOON + at * MINUTE, readings: texts }, NOON + 2880 * MINUTE);

/** The runs of a field in minutes after noon. */
async function runsOf(field: string, device = "press-1") {
  const { rows } = await bench.pool.query<{ id: number }>("SELECT id FROM device WHERE name = $1", [device]);
  const range = { device: rows[0]!.id, from: NOON - 1440 * MINUTE, to: NOON + 2880 * MINUTE };
  const all = await withTransaction(bench.pool, (tx) => readTextRuns(tx, range));
  const found = all.find((one) => one.field === field);
  return found?.runs.map(({ from, to, value }) => [(from - NOON) / MINUTE, (to - NOON) / MINUTE, value]) ?? null;
}

test("what a device says in words is kept from the first to the last message that said it", async () => {
  for (const [at, mode] of ["auto", "auto", "manual", "manual", "auto"].entries())
    say(at, { mode, temperature: 20, firmware: "1.2.0" });
  await rig.drain(2);
  expect(await runsOf("mode")).toEqual([
    [0, 1, "auto"],
    [2, 3, "manual"],
    [4, 4, "auto"],
  ]);
  expect(await runsOf("firmware")).toEqual([[0, 4, "1.2.0"]]);
});

test("late messages find their place, and messages that come again change nothing", async () => {
  const said = ["auto", "auto", "manual", "auto", "idle", "idle", "auto"] as const;
  for (const at of [0, 1, 6, 4, 2, 3, 5]) say(at, { mode: said[at] });
  await rig.drain(3);
  const runs = [
    [0, 1, "auto"],
    [2, 2, "manual"],
    [3, 3, "auto"],
    [4, 5, "idle"],
    [6, 6, "auto"],
  ];
  expect(await runsOf("mode")).toEqual(runs);
  for (const at of [3, 0, 6, 5, 1, 2, 4]) say(at, { mode: said[at] });
  await rig.drain(2);
  expect(await runsOf("mode")).toEqual(runs);
});

test("a batch that fails after its commit and comes again leaves the same runs", async () => {
  for (const at of [0, 1, 2, 3]) say(at, { mode: at < 2 ? "auto" : "manual" });
  rig.faults.next = "afterCommit";
  await rig.insist(0, 3);
  expect(await runsOf("mode")).toEqual([
    [0, 1, "auto"],
    [2, 3, "manual"],
  ]);
});

test("two workers add to the same field one after the other", async () => {
  const other = await bench.rig();
  for (let at = 0; at < 40; at++) say(at, { mode: at < 20 ? "auto" : "manual" }, { partition: at % 2 });
  await Promise.all([rig.insist(0, 3), other.insist(1, 4)]);
  expect(await runsOf("mode")).toEqual([
    [0, 19, "auto"],
    [20, 39, "manual"],
  ]);
});

test("any text can be kept: NUL, half of a pair, backslashes, pictures, and the beginning of a long one", async () => {
  const texts = ["a\0b", "\ud83d", "c:\\u0000", "🏭", "", `${"x".repeat(1023)}🏭`];
  for (const [at, mode] of texts.entries()) say(at, { mode });
  await rig.drain();
  expect((await runsOf("mode"))?.map(([, , value]) => value)).toEqual(texts.map((text) => text.slice(0, 1024)));
  expect(await bench.letters()).toEqual([]);
});

test("a field that says something else each time has so many runs a day, and tells that there was more", async () => {
  const messages = TEXT_RUNS.perDay + 300;
  for (let i = 0; i < messages; i++) say(i / 100, { serial: `no. ${i}`, mode: "auto" });
  await rig.drain(400);
  const runs = (await runsOf("serial"))!;
  expect(runs.at(-1)).toEqual([(TEXT_RUNS.perDay - 1) / 100, (messages - 1) / 100, null]);
  const { rows } = await bench.pool.query("SELECT count(*)::int AS n FROM text_run WHERE field = 'serial'");
  expect(rows).toEqual([{ n: TEXT_RUNS.perDay }]);
  expect(runs).toHaveLength(500);
  say(1440, { serial: "of the next day" });
  await rig.drain();
  expect((await runsOf("serial"))?.at(-1)).toEqual([1440, 1440, "of the next day"]);
  expect(await runsOf("mode")).toEqual([[0, (messages - 1) / 100, "auto"]]);
});

test("a device that keeps making up names has so many fields with a history, and those go on", async () => {
  for (let i = 0; i < 5; i++) say(i, Object.fromEntries(Array.from({ length: 60 }, (_, j) => [`word-${i}-${j}`, "x"])));
  say(5, { "word-0-0": "y" });
  await rig.drain(2);
  const { rows } = await bench.pool.query("SELECT count(DISTINCT field)::int AS n FROM text_run");
  expect(rows).toEqual([{ n: TEXT_RUNS.fields }]);
  expect(await runsOf("word-0-0")).toEqual([
    [0, 0, "x"],
    [5, 5, "y"],
  ]);
});

test("of more runs than are read, the newest are, and it is said that there are more", async () => {
  for (let i = 0; i < 520; i++) say(i / 10, { mode: i % 2 === 0 ? "auto" : "manual" });
  await rig.drain();
  const { rows } = await bench.pool.query<{ id: number }>("SELECT id FROM device");
  const read = (from: number, to: number) =>
    withTransaction(bench.pool, (tx) => readTextRuns(tx, { device: rows[0]!.id, from, to }));
  const [all] = await read(NOON, NOON + 60 * MINUTE);
  expect([all!.runs.length, all!.more, all!.runs.at(-1)!.to]).toEqual([500, true, NOON + 51.9 * MINUTE]);
  // The one that holds at its beginning is part of a stretch.
  const [part] = await read(NOON + 10.05 * MINUTE, NOON + 10.15 * MINUTE);
  expect(part!.runs.map(({ value }) => value)).toEqual(["auto", "manual"]);
  expect(await read(NOON - 60 * MINUTE, NOON - MINUTE)).toEqual([]);
});
