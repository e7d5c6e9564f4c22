import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog, InjectedFault, type ScriptedLog } from "@/server/testing/pipeline-rig";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

let log: ScriptedLog;
let run = 0;
beforeEach(async () => {
  log = createScriptedLog(`cluster-${run++}`, 2);
  await db.pool.query(
    `TRUNCATE sample, rollup_minute, rollup_hour, pipeline_position, pipeline_rate, pipeline_refused, message_archive, device_twin, dead_letter;
     DELETE FROM device; DELETE FROM metric; DELETE FROM site`,
  );
});

const T = Date.UTC(2026, 0, 15, 10, 0, 30);
const totals = async () =>
  (
    await db.pool.query(
      `SELECT sum(messages)::int AS messages, sum(readings)::int AS readings, sum(duplicates)::int AS duplicates,
              sum(conflicts)::int AS conflicts, sum(dead_letters)::int AS "deadLetters", sum(skipped)::int AS skipped FROM pipeline_position`,
    )
  ).rows[0] as Record<string, number>;
const readings = async () =>
  (await db.pool.query(`SELECT device, metric, time, value FROM reading ORDER BY device, time, metric`)).rows;
const letters = async () =>
  (
    await db.pool.query<{ reason: string; device: string | null; field: string | null; raw: Buffer }>(
      `SELECT reason, device, field, raw FROM dead_letter ORDER BY partition, "offset", id`,
    )
  ).rows;

describe("readings", () => {
  test("the first value in the log stays, in a batch and across batches; other metrics of the time join it", async () => {
    const rig = await createRig(db.pool, log);
    log.append(0, { device: "d", time: T, readings: { a: 1, b: 2 } });
    log.append(0, { device: "d", time: T, readings: { a: 9, b: 2, c: 3 } });
    log.append(0, { device: "d", time: T - 1000, readings: { a: 5 } });
    await rig.drain();
    log.append(0, { device: "d", time: T, readings: { c: 8, on: true } });
    log.append(0, { device: "d", time: T - 1000, readings: { a: 6 } });
    await rig.drain();
    expect((await readings()).map(({ metric, value }) => [metric, value])).toEqual([
      ["a", 5],
      ["a", 1],
      ["b", 2],
      ["c", 3],
      ["on", 1],
    ]);
    expect(await totals()).toEqual({
      messages: 5,
      readings: 5,
      duplicates: 1,
      conflicts: 3,
      deadLetters: 0,
      skipped: 0,
    });
    const twin = (await rig.twins.get(["d"])).get("d")!;
    expect(Object.fromEntries([...twin.values].map(([field, { value }]) => [field, value]))).toEqual({
      a: 1,
      b: 2,
      c: 3,
      on: true,
    });
    expect(rig.committed.flatMap((batch) => batch.added).length).toBe(3);
  });

  test("another value at the same time is a conflict, counted by device with the last as an example", async () => {
    const rig = await createRig(db.pool, log);
    log.append(0, { device: "d", time: T, readings: { zero: 0, on: 1 } });
    for (const [i, accel] of [0.1, 9.75, -9.1, 0.2].entries())
      log.append(0, { device: "vib-1", time: `2026-01-15T10:00:00.000${100 + 250 * i}Z`, readings: { accel } });
    log.append(0, { device: "vib-1", time: "2026-01-15T10:00:00.001100Z", readings: { accel: 0.3 } });
    await rig.drain();
    // Neither the sign of zero nor a boolean in a number's place makes another value.
    log.append(0, '{"device":"d","time":' + T + ',"readings":{"zero":-0,"on":true}}');
    log.append(0, { device: "d", time: T, readings: { on: false } });
    await rig.drain();
    expect(await totals()).toMatchObject({ messages: 8, readings: 4, duplicates: 2, conflicts: 4 });
    const { rows } = await db.pool.query(
      `SELECT d.name, conflicts, m.name AS metric, conflict_time AS time, conflict_kept AS kept, conflict_refused AS refused
       FROM device d JOIN metric m ON m.id = d.conflict_metric_id ORDER BY 1`,
    );
    expect(rows).toEqual([
      { name: "d", conflicts: 1, metric: "on", time: new Date(T), kept: 1, refused: 0 },
      { name: "vib-1", conflicts: 3, metric: "accel", time: new Date("2026-01-15T10:00:00Z"), kept: 0.1, refused: 0.2 },
    ]);
    expect((await db.pool.query("SELECT sum(conflicts)::int AS n FROM pipeline_rate")).rows).toEqual([{ n: 4 }]);
  });

  test("a conflict handled again after a crash is counted once", async () => {
    const rig = await createRig(db.pool, log);
    for (let i = 0; i < 4; i++) log.append(0, { device: "d", time: T, readings: { a: i } });
    for (const fault of ["beforeCommit", "afterCommit"] as const) {
      const at = await rig.begin(0);
      rig.faults.next = fault;
      await expect(rig.batch(0, at, at + 2)).rejects.toThrow(InjectedFault);
    }
    await rig.begin(0);
    await rig.batch(0, 0, 4);
    expect(await totals()).toMatchObject({ messages: 4, readings: 1, duplicates: 0, conflicts: 3 });
    expect((await db.pool.query("SELECT conflicts FROM device")).rows).toEqual([{ conflicts: 3 }]);
  });

  test("numbers and booleans are stored alike, whoever came first; a metric is boolean while only booleans came", async () => {
    const kinds = async () =>
      Object.fromEntries(
        (await db.pool.query(`SELECT name, kind FROM metric`)).rows.map(({ name, kind }) => [name, kind]),
      );
    const messages = [
      { device: "door-1", time: T, readings: { battery: true, contact: false } },
      { device: "meter-1", time: T, readings: { battery: 87, power: 12.5 } },
    ];
    for (const [turn, order] of [messages, [...messages].reverse()].entries()) {
      log = createScriptedLog(`order-${turn}`, 2);
      const rigs = [await createRig(db.pool, log), await createRig(db.pool, log)];
      for (const message of order) {
        log.append(0, message);
        await rigs[0]!.drain();
      }
      // A worker that took the metric for a boolean before the number came.
      log.append(1, { device: "door-2", time: T, readings: { battery: false } });
      await rigs[1]!.drain();
      expect(await kinds()).toEqual({ battery: "number", contact: "boolean", power: "number" });
      expect((await readings()).map(({ device, metric, value }) => [device, metric, value])).toEqual([
        ["door-1", "battery", 1],
        ["door-1", "contact", 0],
        ["door-2", "battery", 0],
        ["meter-1", "battery", 87],
        ["meter-1", "power", 12.5],
      ]);
      expect(await letters()).toEqual([]);
      await db.pool.query("TRUNCATE sample, rollup_minute, rollup_hour; DELETE FROM device; DELETE FROM metric");
    }
  });

  test("redelivered offsets are trimmed, and a crash after the commit counts nothing twice", async () => {
    const rig = await createRig(db.pool, log);
    for (let i = 0; i < 4; i++) log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await rig.begin(0);
    rig.faults.next = "afterCommit";
    await expect(rig.batch(0, 0, 2)).rejects.toThrow(InjectedFault);
    expect(await rig.begin(0)).toBe(2);
    await rig.batch(0, 0, 4);
    await rig.batch(0, 0, 3);
    expect(await totals()).toEqual({
      messages: 4,
      readings: 4,
      duplicates: 0,
      conflicts: 0,
      deadLetters: 0,
      skipped: 0,
    });
  });

  test("a device whose key moved between partitions is merged exactly by two workers at once", async () => {
    const rigs = await Promise.all([createRig(db.pool, log), createRig(db.pool, log)]);
    for (let i = 0; i < 200; i++) {
      log.append(0, { device: "d", time: T + i, readings: { a: 1, b: 1 } });
      log.append(1, { device: "d", time: T + i, readings: { b: 1, c: 1 } });
    }
    await Promise.all([rigs[0].begin(0), rigs[1].begin(1)]);
    for (let at = 0; at < 200; at += 20) {
      await Promise.all([rigs[0].batch(0, at, at + 20), rigs[1].batch(1, at, at + 20)]);
    }
    expect(await totals()).toMatchObject({ readings: 600, duplicates: 200 });
    const { rows } = await db.pool.query(`SELECT sum(count)::int AS count, sum(sum)::int AS sum FROM reading_hour`);
    expect(rows[0]).toEqual({ count: 600, sum: 600 });
  });
});

describe("positions", () => {
  test("a stale worker's batch fails whole", async () => {
    const stale = await createRig(db.pool, log);
    const taker = await createRig(db.pool, log);
    for (let i = 0; i < 4; i++) log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await stale.begin(0);
    await taker.begin(0);
    await taker.batch(0, 0, 2);
    await expect(stale.batch(0, 0, 4)).rejects.toMatchObject({ name: "FencedError" });
    expect(await totals()).toMatchObject({ messages: 2, readings: 2 });
    await stale.begin(0);
    await stale.batch(0, 2, 4);
    expect(await totals()).toMatchObject({ messages: 4, readings: 4, duplicates: 0 });
    expect(stale.fatal).toEqual([]);
  });

  test("a position another worker has just moved past the bounds seen is not taken for a new topic", async () => {
    const rig = await createRig(db.pool, log);
    for (let i = 0; i < 3; i++) log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await rig.drain();
    const { boundsOf } = log;
    // The bounds were asked for before the last record came, the end afterwards.
    log.boundsOf = () => ({ ...boundsOf(0), end: 2 });
    expect(await rig.begin(0)).toBe(3);
    log.boundsOf = boundsOf;
  });

  test("messages that expired unread are counted as skipped", async () => {
    const rig = await createRig(db.pool, log);
    for (let i = 0; i < 10; i++) log.append(0, { device: "d", time: T + i, readings: { a: i } });
    await rig.begin(0);
    await rig.batch(0, 0, 2);
    log.expire(0, 5);
    expect(await rig.begin(0)).toBe(5);
    log.expire(0, 1);
    await rig.batch(0, 6, 10);
    expect(await totals()).toMatchObject({ messages: 6, readings: 6, skipped: 4 });
  });
});

describe("bad data", () => {
  test("a string where readings are is quarantined as drift, without costing the rest", async () => {
    const rig = await createRig(db.pool, log);
    log.append(0, { device: "d", time: T, readings: { a: 1, on: true, note: "x" } });
    log.append(0, { device: "d", time: T + 1, readings: { a: "high", on: 7, note: "y", b: 2 } });
    await rig.drain();
    expect(await letters()).toMatchObject([{ reason: "typeDrift", field: "a", device: "d" }]);
    expect(JSON.parse((await letters())[0]!.raw.toString())).toEqual({
      device: "d",
      time: new Date(T + 1).toISOString(),
      readings: { a: "high" },
    });
    expect(await totals()).toEqual({
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
    const rig = await createRig(db.pool, log);
    log.append(0, { device: "lab-1", time: T, site: " Werk Köln ", type: "CO2 meter", readings: { co2: 410 } });
    log.append(0, { device: "lab-2", time: T, site: "plant-7", type: 7, readings: { co2: 411 } });
    log.append(0, { device: "lab-3", time: T, site: { x: 1 }, type: "a\u0000b", readings: { co2: 412, type: [] } });
    log.append(0, { device: "lab-4", time: T, site: null, type: "  ", readings: { co2: 413 } });
    await rig.drain();
    const devices = await db.pool.query(
      `SELECT d.name, s.name AS site, type FROM device d LEFT JOIN site s ON s.id = site_id ORDER BY 1`,
    );
    expect(devices.rows).toEqual([
      { name: "lab-1", site: "Werk Köln", type: "CO2 meter" },
      { name: "lab-2", site: "plant-7", type: null },
      { name: "lab-3", site: null, type: null },
      { name: "lab-4", site: null, type: null },
    ]);
    const found = await letters();
    expect(found.map(({ device, field, reason }) => [device, field, reason])).toEqual([
      ["lab-2", "type", "badLabel"],
      ["lab-3", "type", "badValue"],
      ["lab-3", "site", "badLabel"],
      ["lab-3", "type", "badLabel"],
    ]);
    expect(JSON.parse(found[0]!.raw.toString())).toMatchObject({ device: "lab-2", type: 7, readings: { co2: 411 } });
    expect(await totals()).toMatchObject({ messages: 4, readings: 4, deadLetters: 4 });
  });

  test("a device that an address can't name is refused by name", async () => {
    const rig = await createRig(db.pool, log);
    for (const device of ["..", ".", "a.rsc", "..."])
      log.append(0, { device, time: T, readings: { level: 1, ".": 2 } });
    await rig.drain();
    expect((await letters()).map(({ reason, field }) => [reason, field])).toEqual([
      ["badDevice", null],
      ["badDevice", null],
      ["badDevice", null],
      ["badName", "."],
    ]);
    expect((await db.pool.query("SELECT name FROM device")).rows).toEqual([{ name: "..." }]);
  });

  test("whatever the bytes, each record ends as a message or a dead letter, and the batch goes on", async () => {
    const rig = await createRig(db.pool, log);
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
      [`${"[".repeat(20_000)}`, ["notJson"]],
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
    for (const [bytes] of cases) log.append(0, bytes);
    await rig.drain();
    const found = await db.pool.query<{ offset: number; reasons: string[] }>(
      `SELECT "offset", array_agg(reason ORDER BY reason) AS reasons FROM dead_letter GROUP BY 1`,
    );
    const reasons = new Map(found.rows.map((row) => [row.offset, row.reasons]));
    for (const [i, [, outcome]] of cases.entries()) {
      expect([i, reasons.get(i) ?? []]).toEqual([i, [...outcome].sort()]);
    }
    const whole = await db.pool.query<{ raw: Buffer }>(`SELECT raw FROM dead_letter WHERE "offset" = 1`);
    expect(whole.rows[0]!.raw).toEqual(Buffer.from([0xff, 0x00, 0x80]));
    const kept = await db.pool.query<{ raw: Buffer }>(`SELECT raw FROM dead_letter WHERE reason = 'notFinite'`);
    expect(kept.rows[0]!.raw.toString()).toContain("1e999");
    expect(await totals()).toMatchObject({ messages: cases.length, deadLetters: (await letters()).length });
    const archived = await db.pool.query(`SELECT count(*)::int AS count FROM message_archive`);
    expect(archived.rows[0]).toEqual({ count: 4 });
  });

  test("devices and metrics are discovered up to their bounds; site and type are filled in once", async () => {
    const rig = await createRig(db.pool, log, { maxDevices: 2, maxMetrics: 2 });
    log.append(0, { device: "d1", time: T, readings: { temp: 1 } });
    log.append(0, { device: "d2", time: T, readings: { temp: 1, b: 1, c: 1 } });
    log.append(0, { device: "d3", time: T, readings: { temp: 1 } });
    log.append(0, { device: "d1", time: T + 1, site: "north", type: "press", readings: { temp: 2 } });
    await rig.drain();
    log.append(0, { device: "d1", time: T + 2, site: "south", readings: { temp: 2 } });
    await rig.drain();
    expect(await letters()).toMatchObject([
      { reason: "tooManyMetrics", device: "d2", field: "c" },
      { reason: "tooManyDevices", device: "d3", field: null },
    ]);
    const devices = await db.pool.query(
      `SELECT d.name, s.name AS site, type, messages FROM device d LEFT JOIN site s ON s.id = site_id ORDER BY 1`,
    );
    expect(devices.rows).toEqual([
      { name: "d1", site: "north", type: "press", messages: 3 },
      { name: "d2", site: null, type: null, messages: 1 },
    ]);
    const metrics = await db.pool.query(`SELECT name, kind, unit FROM metric ORDER BY name`);
    expect(metrics.rows).toEqual([
      { name: "b", kind: "number", unit: null },
      { name: "temp", kind: "number", unit: null },
    ]);
  });

  test("a message handled again is judged the same", async () => {
    const rig = await createRig(db.pool, log);
    log.append(0, { device: "d", time: T, readings: { x: "text", y: 1 } });
    log.append(0, { device: "d", time: T + 1, readings: { x: 1, y: true } });
    await rig.begin(0);
    rig.faults.next = "archive";
    await expect(rig.batch(0, 0, 2)).rejects.toThrow(InjectedFault);
    const before = await letters();
    await rig.drain();
    expect(await letters()).toEqual(before);
    expect(before.map((letter) => [letter.reason, letter.field])).toEqual([["typeDrift", "x"]]);
    expect(await totals()).toEqual({
      messages: 2,
      readings: 3,
      duplicates: 0,
      conflicts: 0,
      deadLetters: 1,
      skipped: 0,
    });
  });
});
