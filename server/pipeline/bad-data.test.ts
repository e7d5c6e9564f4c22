import { expect, test } from "vitest";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { archivedMessages } from "@/server/testing/archived";
import { InjectedFault } from "@/server/testing/pipeline-rig";

const bench = pipelineBench();
const T = Date.UTC(2026, 0, 15, 10, 0, 30);

test("a string where readings are is quarantined as drift, without costing the rest", async () => {
  const rig = await bench.rig();
  bench.log.append(0, { device: "d", time: T, readings: { a: 1, on: true, note: "x" } });
  bench.log.append(0, { device: "d", time: T + 1, readings: { a: "high", on: 7, note: "y", b: 2 } });
  await rig.drain();
  expect(await bench.letters()).toMatchObject([{ reason: "typeDrift", field: "a", device: "d" }]);
  expect(JSON.parse((await bench.letters())[0]!.raw.toString())).toEqual({
    device: "d",
    time: new Date(T + 1).toISOString(),
    readings: { a: "high" },
  });
  expect(await bench.totals()).toEqual({
    messages: 2,
    readings: 4,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 1,
    skipped: 0,
  });
  const twin = (await rig.twins.get(["d"])).get("d")!;
  expect(twin.values.get("note")).toEqual({ value: "y", eventTime: T + 1 });
  expect(twin.values.get("a")).toEqual({ value: 1, eventTime: T });
});

test("site and type are kept as sent; one that can't be kept is a dead letter of its own, and can be mended", async () => {
  const rig = await bench.rig();
  bench.log.append(0, { device: "lab-1", time: T, site: " Werk Köln ", type: "CO2 meter", readings: { co2: 410 } });
  bench.log.append(0, { device: "lab-2", time: T, site: "plant-7", type: 7, readings: { co2: 411 } });
  bench.log.append(0, { device: "lab-3", time: T, site: { x: 1 }, type: "a\u0000b", readings: { co2: 412, type: [] } });
  bench.log.append(0, { device: "lab-4", time: T, site: null, type: "  ", readings: { co2: 413 } });
  await rig.drain();
  const devices = await bench.pool.query(
    `SELECT d.name, s.name AS site, type FROM device d LEFT JOIN site s ON s.id = site_id ORDER BY 1`,
  );
  expect(devices.rows).toEqual([
    { name: "lab-1", site: "Werk Köln", type: "CO2 meter" },
    { name: "lab-2", site: "plant-7", type: null },
    { name: "lab-3", site: null, type: null },
    { name: "lab-4", site: null, type: null },
  ]);
  const found = await bench.letters();
  expect(found.map(({ device, field, reason }) => [device, field, reason])).toEqual([
    ["lab-2", "type", "badLabel"],
    ["lab-3", "type", "badValue"],
    ["lab-3", "site", "badLabel"],
    ["lab-3", "type", "badLabel"],
  ]);
  expect(JSON.parse(found[0]!.raw.toString())).toMatchObject({ device: "lab-2", type: 7, readings: { co2: 411 } });
  expect(await bench.totals()).toMatchObject({ messages: 4, readings: 4, deadLetters: 4 });
});

test("a device that an address can't name is refused by name", async () => {
  const rig = await bench.rig();
  for (const device of ["..", ".", "a.rsc", "..."])
    bench.log.append(0, { device, time: T, readings: { level: 1, ".": 2 } });
  await rig.drain();
  expect((await bench.letters()).map(({ reason, field }) => [reason, field])).toEqual([
    ["badDevice", null],
    ["badDevice", null],
    ["badDevice", null],
    ["badName", "."],
  ]);
  expect((await bench.pool.query("SELECT name FROM device")).rows).toEqual([{ name: "..." }]);
});

test("whatever the bytes, each record ends as a message or a dead letter, and the batch goes on", async () => {
  const rig = await bench.rig();
  const good = `{"device":"d","time":${T},"readings":{"a":1`;
  const cases: [bytes: string | Uint8Array, outcome: string[]][] = [
    ["", ["notJson"]],
    [Buffer.from([0xff, 0x00, 0x80]), ["notJson"]],
    ["\u0000{}", ["notJson"]],
    ["[]", ["notJson"]],
    ["{}", ["noDevice"]],
    [`{"device":"a b","time":${T},"readings":{}}`, ["badDevice"]],
    [`{"device":"\\u0000","time":${T},"readings":{}}`, ["badDevice"]],
    [`{"device":"d","readings":{"a":1}}`, ["noTime"]],
    [`{"device":"d","time":"\\ud800","readings":{"a":1}}`, ["badTime"]],
    [`{"device":"d","time":1e999,"readings":{"a":1}}`, ["badTime"]],
    [`{"device":"d","time":${Date.now() * 2},"readings":{"a":1}}`, ["futureTime"]],
    [`{"device":"d","time":${T},"readings":[]}`, ["noReadings"]],
    [`${"[".repeat(20_000)}`, ["tooDeep"]],
    [`{"device":"d","time":${T},"readings":{"a":${"[".repeat(20)}${"]".repeat(20)}}}`, ["tooDeep"]],
    [`{"device":"d","x":"${"x".repeat(70_000)}"}`, ["tooLarge"]],
    [`\ufeff${good}}}`, []],
    [
      `${good},"__proto__":5,"b":1e999,"c":{"d":1e999},"\\u0000":3,"e":null}}`,
      ["notFinite", "badValue", "badName", "badName"],
    ],
    [`${good},"big":1e308,"bigger":1e308,"tiny":5e-324,"zero":-0}}`, []],
    [`${good},"t":"\\ud800\\u0000","f":"${"f".repeat(3000)}"}}`, []],
  ];
  for (const [bytes] of cases) bench.log.append(0, bytes);
  await rig.drain();
  const found = await bench.pool.query<{ offset: number; reasons: string[] }>(
    `SELECT "offset", array_agg(reason ORDER BY reason) AS reasons FROM dead_letter GROUP BY 1`,
  );
  const reasons = new Map(found.rows.map((row) => [row.offset, row.reasons]));
  for (const [i, [, outcome]] of cases.entries()) {
    expect([i, reasons.get(i) ?? []]).toEqual([i, [...outcome].sort()]);
  }
  const whole = await bench.pool.query<{ raw: Buffer }>(`SELECT raw FROM dead_letter WHERE "offset" = 1`);
  expect(whole.rows[0]!.raw).toEqual(Buffer.from([0xff, 0x00, 0x80]));
  const kept = await bench.pool.query<{ raw: Buffer }>(`SELECT raw FROM dead_letter WHERE reason = 'notFinite'`);
  expect(kept.rows[0]!.raw.toString()).toContain("1e999");
  expect(await bench.totals()).toMatchObject({ messages: cases.length, deadLetters: (await bench.letters()).length });
  expect(await archivedMessages(bench.pool)).toHaveLength(4);
});

test("devices and metrics are discovered up to their bounds; site and type are filled in once", async () => {
  const rig = await bench.rig({ maxDevices: 2, maxMetrics: 2 });
  bench.log.append(0, { device: "d1", time: T, readings: { temp: 1 } });
  bench.log.append(0, { device: "d2", time: T, readings: { temp: 1, b: 1, c: 1 } });
  bench.log.append(0, { device: "d3", time: T, readings: { temp: 1 } });
  bench.log.append(0, { device: "d1", time: T + 1, site: "north", type: "press", readings: { temp: 2 } });
  await rig.drain();
  bench.log.append(0, { device: "d1", time: T + 2, site: "south", readings: { temp: 2 } });
  await rig.drain();
  expect(await bench.letters()).toMatchObject([
    { reason: "tooManyMetrics", device: "d2", field: "c" },
    { reason: "tooManyDevices", device: "d3", field: null },
  ]);
  const devices = await bench.pool.query(
    `SELECT d.name, s.name AS site, type, messages FROM device d LEFT JOIN site s ON s.id = site_id ORDER BY 1`,
  );
  expect(devices.rows).toEqual([
    { name: "d1", site: "north", type: "press", messages: 3 },
    { name: "d2", site: null, type: null, messages: 1 },
  ]);
  const metrics = await bench.pool.query(`SELECT name, kind, unit FROM metric ORDER BY name`);
  expect(metrics.rows).toEqual([
    { name: "b", kind: "number", unit: null },
    { name: "temp", kind: "number", unit: null },
  ]);
});

test("a message handled again is judged the same", async () => {
  const rig = await bench.rig();
  bench.log.append(0, { device: "d", time: T, readings: { x: "text", y: 1 } });
  bench.log.append(0, { device: "d", time: T + 1, readings: { x: 1, y: true } });
  await rig.begin(0);
  rig.faults.next = "archive";
  await expect(rig.batch(0, 0, 2)).rejects.toThrow(InjectedFault);
  const before = await bench.letters();
  await rig.drain();
  expect(await bench.letters()).toEqual(before);
  expect(before.map((letter) => [letter.reason, letter.field])).toEqual([["typeDrift", "x"]]);
  expect(await bench.totals()).toEqual({
    messages: 2,
    readings: 3,
    duplicates: 0,
    conflicts: 0,
    deadLetters: 1,
    skipped: 0,
  });
});
