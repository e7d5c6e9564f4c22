import { beforeAll, describe, expect, test } from "vitest";
import { deviceDetail, devicesAnswer, messagesAnswer, readingsAnswer, stripsAnswer } from "@/server/contracts/devices";
import { createApiRig, message, NOW, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();

describe("from a message to every answer", () => {
  beforeAll(async () => {
    await rig.sendFleet();
    await rig.owner.query("UPDATE metric SET unit = '°C' WHERE name = 'temperature'");
  });

  test("devices: search takes wildcards literally, filters, counts", async () => {
    const names = async (query: string) =>
      (await read(devicesAnswer, rig.get("listDevices", {}, query))).items.map(({ id }) => id);
    expect(await names("")).toEqual(["alphaX1", "alpha_1", "press-07", "zeta"].sort());
    expect(await names("search=LPHA_")).toEqual(["alpha_1"]);
    expect(await names("search=sout")).toEqual(["press-07", "zeta"]);
    expect(await names("site=north&state=live")).toHaveLength(2);
    expect(await names("state=silent")).toEqual([]);
    const all = await read(devicesAnswer, rig.get("listDevices", {}, "limit=1"));
    expect(all).toMatchObject({ total: 4, sites: ["north", "south"] });
  });

  test.each(["id", "-id", "lastSeen", "-lastSeen", "messages", "-messages"])(
    "devices sorted by %s: pages meet without gap or repeat",
    async (sort) => {
      const whole = (await read(devicesAnswer, rig.get("listDevices", {}, `sort=${sort}`))).items.map(({ id }) => id);
      const paged: string[] = [];
      let cursor = "";
      do {
        const page = await read(
          devicesAnswer,
          rig.get("listDevices", {}, `sort=${sort}&limit=1${cursor && `&cursor=${cursor}`}`),
        );
        paged.push(...page.items.map(({ id }) => id));
        cursor = page.next ?? "";
      } while (cursor !== "");
      expect(paged).toEqual(whole);
      expect(paged).toHaveLength(4);
    },
  );

  test("a device with its values", async () => {
    const found = await read(deviceDetail, rig.get("getDevice", { id: "press-07" }));
    expect(found).toMatchObject({ site: "south", type: "press", state: "live", messages: 600 });
    expect(found.values.temperature).toEqual({ value: 599, time: new Date(NOW - 1000).toISOString() });
    expect(found.values.door?.value).toBe(false);
    expect(found).toMatchObject({ notes: null, setByPerson: [], clockFault: null });
  });

  test("strips: every metric of a device in one answer", async () => {
    const from = new Date(NOW - 600_000).toISOString();
    const found = await read(stripsAnswer, rig.get("listStrips", { id: "press-07" }, `from=${from}&maxPoints=60`));
    expect(found.strips.map(({ metric, kind, unit }) => [metric, kind, unit])).toEqual([
      ["door", "boolean", null],
      ["temperature", "number", "°C"],
    ]);
    const counts = found.strips.map(({ points }) => points.reduce((sum, [, count]) => sum + count, 0));
    expect(counts[1]).toBe(600);
    expect(found.strips[1]).toMatchObject({ latest: NOW - 1000 });
    expect((await refused(rig.get("listStrips", { id: "nobody" }))).status).toBe(404);
    const empty = `from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z`;
    expect(await read(stripsAnswer, rig.get("listStrips", { id: "press-07" }, empty))).toMatchObject({
      ...{ strips: [], texts: [] },
    });
  });

  test("strips: what a device said in words, from the first to the last message that said so", async () => {
    const at = NOW - 600_000 + 3000;
    const textsIn = async (from: number, to: number) => {
      const query = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
      return (await read(stripsAnswer, rig.get("listStrips", { id: "alphaX1" }, query))).texts;
    };
    const said = [{ field: "note", runs: [[at, at, "hi"]], more: false }];
    expect(await textsIn(at - 1000, at + 1)).toEqual(said);
    // It holds until something else is said.
    expect(await textsIn(at + 60_000, at + 120_000)).toEqual(said);
    expect(await textsIn(at - 1000, at)).toEqual([]);
  });

  test("strips and readings say what was before the range; of a range without a reading, flags alone", async () => {
    const from = new Date(NOW - 60_000).toISOString();
    const before = { time: NOW - 61_000, value: 539 };
    const found = await read(stripsAnswer, rig.get("listStrips", { id: "press-07" }, `from=${from}`));
    expect(found.strips.find(({ metric }) => metric === "temperature")).toMatchObject({ before });
    const series = await read(
      readingsAnswer,
      rig.get("listReadings", { id: "press-07" }, `metric=temperature&from=${from}`),
    );
    expect(series).toMatchObject({ before });
    const later = `from=${new Date(NOW).toISOString()}&to=${new Date(NOW + 60_000).toISOString()}`;
    const { strips } = await read(stripsAnswer, rig.get("listStrips", { id: "press-07" }, later));
    expect(strips).toMatchObject([{ metric: "door", points: [], before: { value: expect.any(Number) as number } }]);
  });

  test("readings, raw and from rollups", async () => {
    const raw = await read(
      readingsAnswer,
      rig.get("listReadings", { id: "press-07" }, "metric=temperature&maxPoints=1000"),
    );
    expect(raw).toMatchObject({ resolution: "raw", bucketMs: 0, kind: "number" });
    expect(raw.points.map(({ last }) => last)).toEqual(Array.from({ length: 600 }, (_, i) => i));
    expect(raw).toMatchObject({ latest: NOW - 1000 });
    const found = await read(deviceDetail, rig.get("getDevice", { id: "press-07" }));
    expect(raw.lastSeen).toBe(found.lastSeen);
    const few = await read(readingsAnswer, rig.get("listReadings", { id: "press-07" }, "metric=door&maxPoints=20"));
    expect(few).toMatchObject({ kind: "boolean", latest: NOW - 1000 });
    expect(few.points.length).toBeLessThanOrEqual(20);
    expect(few.points.reduce((sum, { count }) => sum + count, 0)).toBe(600);
    expect(few.points.every(({ min, max }) => min === 0 && max === 1)).toBe(true);
  });

  test("words as a file: when each field said what", async () => {
    const at = (second: number) => new Date(NOW - 60_000 + second * 1000).toISOString();
    const said = [
      [0, { mode: "auto", firmware: "=1+1" }],
      [1, { mode: "auto", firmware: "=1+1" }],
      [2, { mode: "manual" }],
    ] as const;
    for (const [second, readings] of said)
      await rig.post(JSON.stringify({ device: "worded", time: at(second), readings }));
    const kept = `SELECT FROM text_run t JOIN device d ON d.id = t.device_id WHERE d.name = 'worded'`;
    await until(async () => (await rig.owner.query(kept)).rowCount === 3);
    const file = async (query: string) => (await rig.get("exportTexts", { id: "worded" }, query)).text();
    const head = "field,from,to,value,kept";
    const auto = `mode,${at(0)},${at(1)},auto,true`;
    const manual = `mode,${at(2)},${at(2)},manual,true`;
    expect((await file("")).trimEnd().split("\r\n")).toEqual([
      head,
      `firmware,${at(0)},${at(1)},'=1+1,true`,
      auto,
      manual,
    ]);
    expect((await file("field=mode")).trimEnd().split("\r\n")).toEqual([head, auto, manual]);
    expect((await file(`field=mode&to=${at(1)}`)).trimEnd().split("\r\n")).toEqual([head, auto]);
    expect((await file(`field=mode&from=${at(2)}`)).trimEnd().split("\r\n")).toEqual([head, manual]);
    await rig.owner.query("UPDATE text_run SET value = NULL WHERE value = 'manual'");
    expect((await file(`from=${at(2)}`)).trimEnd().split("\r\n")).toEqual([head, `mode,${at(2)},${at(2)},,false`]);
    expect((await refused(rig.get("exportTexts", { id: "nobody" }))).status).toBe(404);
    const [, line] = (await (await rig.get("exportDevices", {}, "search=worded&metrics=mode,firmware")).text()).split(
      "\r\n",
    );
    expect(line, "the list says the latest").toMatch(/,manual,'=1\+1$/);
  });

  test("downloads: every reading, or what a chart shows, as CSV and JSON", async () => {
    const download = async (verb: "downloadCsv" | "downloadJson", query: string) => {
      const answer = await rig.get(verb, { id: "press-07" }, query);
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-disposition")).toContain('filename="press-07.');
      return answer.text();
    };
    const lines = (await download("downloadCsv", "metric=temperature,door")).trimEnd().split("\r\n");
    expect(lines[0]).toBe("time,temperature (°C),door");
    expect(lines).toHaveLength(601);
    expect(lines[600]).toBe(`${new Date(NOW - 1000).toISOString()},599,false`);

    const json = JSON.parse(await download("downloadJson", "metric=temperature&resolution=auto&maxPoints=20"));
    expect(json.metrics).toMatchObject([{ name: "temperature", unit: "°C", kind: "number" }]);
    const shown = await read(
      readingsAnswer,
      rig.get("listReadings", { id: "press-07" }, `metric=temperature&maxPoints=20&from=${json.from}&to=${json.to}`),
    );
    expect(json.rows.map((row: { readings: { temperature: unknown } }) => row.readings.temperature)).toEqual(
      shown.points.map(({ time: _, ...figures }) => figures),
    );
    const minutes = JSON.parse(await download("downloadJson", "metric=door&resolution=minute"));
    expect(
      minutes.rows.reduce(
        (sum: number, { readings }: { readings: { door: { count: number } } }) => sum + readings.door.count,
        0,
      ),
    ).toBe(600);
    // No cold storage is set here, so what lies there can't be read.
    await rig.owner.query(
      `WITH file AS (
         INSERT INTO cold_file (month, name, url, state, bytes, rows, readings, min_time, max_time, metrics)
         SELECT '2026-01-01', 'readings/a.parquet', 'file:///gone', 'kept', 100, 1, 1, '2026-01-05', '2026-01-05', ARRAY[id] FROM metric WHERE name = 'temperature' RETURNING id)
       INSERT INTO cold_device SELECT d.id, file.id, 0, 1, '2026-01-05', '2026-01-05', '{1}', '{20}' FROM device d, file WHERE d.name = 'press-07'`,
    );
    for (const verb of ["downloadCsv", "downloadJson"] as const) {
      const query = "metric=temperature&from=2026-01-01T00:00:00Z&to=2026-01-10T00:00:00Z&resolution=raw";
      const problem = await refused(rig.get(verb, { id: "press-07" }, query));
      expect(problem).toMatchObject({ kind: "cold-storage-unavailable", status: 503 });
    }
    await rig.owner.query("DELETE FROM cold_device");
    await rig.owner.query("DELETE FROM cold_file");
    expect((await refused(rig.get("downloadCsv", { id: "nobody" }, "metric=temperature"))).status).toBe(404);
    expect((await refused(rig.get("downloadCsv", { id: "zeta" }, "metric=temperature,nothing"))).status).toBe(404);
    expect((await refused(rig.get("downloadCsv", { id: "zeta" }, "metric=,"))).status).toBe(400);
  });

  test("messages exactly as received, page by page", async () => {
    const first = await read(messagesAnswer, rig.get("listMessages", { id: "press-07" }, "limit=400"));
    const second = await read(
      messagesAnswer,
      rig.get("listMessages", { id: "press-07" }, `limit=400&cursor=${first.next}`),
    );
    expect([first.items.length, second.items.length, second.next]).toEqual([400, 200, null]);
    expect(JSON.parse(first.items[0]!.body)).toEqual(message("press-07", 599));
  });
});

describe("what is refused, and how", () => {
  test.each([
    "nonsense",
    Buffer.from('["devices/-id",{"at":"a","key":1}]').toString("base64url"),
    Buffer.from('["devices/id",{"at":1,"key":1}]').toString("base64url"),
  ])("a cursor that is broken or of another order: %s", async (cursor) =>
    expect((await refused(rig.get("listDevices", {}, `cursor=${cursor}`))).errors?.[0]?.at).toBe("cursor"),
  );

  test("devices and metrics that aren't there", async () => {
    for (const verb of ["getDevice", "listMessages"] as const)
      expect((await refused(rig.get(verb, { id: "nobody" }))).kind).toBe("not-found");
    expect((await refused(rig.get("listReadings", { id: "nobody" }, "metric=temperature"))).status).toBe(404);
    expect((await refused(rig.get("listReadings", { id: "zeta" }, "metric=nothing"))).status).toBe(404);
    expect(
      (
        await refused(
          rig.get("listReadings", { id: "zeta" }, "metric=door&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"),
        )
      ).status,
    ).toBe(400);
  });
});
