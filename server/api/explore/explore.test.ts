import { parse } from "csv-parse/sync";
import { beforeAll, expect, test } from "vitest";
import { deviceChangesAnswer } from "@/server/contracts/devices";
import { type ExploreAnswer, exploreAnswer, MOST_DEVICES } from "@/server/contracts/explore";
import { metricChanged } from "@/server/contracts/metrics";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { telemetryAnswer } from "@/server/contracts/telemetry";
import { createApiRig, JSON_TYPE, NDJSON, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Math.floor((Date.now() - 4 * HOUR) / HOUR) * HOUR;
const DEVICES = 30;
const rig = createApiRig();

interface Sent {
  readonly device: string;
  readonly time: number;
  readonly value: number;
}
const SENT: Sent[] = [];
const name = (i: number) => `d-${String(i).padStart(2, "0")}`;
const siteOf = (device: string) => (Number(device.slice(2)) % 2 === 0 ? "north" : "south");

/** Thirty devices for three hours: an even one has a site that an odd one hasn't; the last is far above all others in the second hour. */
beforeAll(async () => {
  for (let i = 0; i < DEVICES; i++)
    for (let at = 0; at < 3 * HOUR; at += (i % 3 === 0 ? 5 : 10) * MINUTE) {
      const isFar = i === DEVICES - 1 && at >= HOUR && at < 2 * HOUR;
      SENT.push({ device: name(i), time: START + at + i, value: 20 + i / 10 + (at % 7) + (isFar ? 500 : 0) });
    }
  const lines = SENT.map(({ device, time, value }) =>
    JSON.stringify({
      ...{ device, time, site: siteOf(device), type: "press" },
      readings: { temperature: value, door: value > 21 },
    }),
  );
  expect((await read(telemetryAnswer, rig.post(lines.join("\n"), { headers: NDJSON }))).rejected).toEqual([]);
  await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === SENT.length, {
    timeoutMs: 20_000,
  });
});

const iso = (time: number) => new Date(time).toISOString();
const RANGE = `from=${iso(START)}&to=${iso(START + 3 * HOUR)}`;
const explore = (query: string) => read(exploreAnswer, rig.get("getExplore", {}, query));
const sentBy = (device: string, { from, to }: { from: string; to: string }) =>
  SENT.filter((one) => one.device === device && one.time >= Date.parse(from) && one.time < Date.parse(to));
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A device's steps and figures, counted anew. */
function recount(sent: readonly Sent[], bucketMs: number) {
  const starts = new Set(sent.map(({ time }) => time - (time % bucketMs)));
  const steps = [...starts].map(
    (start) => [start, sent.filter(({ time }) => time - (time % bucketMs) === start)] as const,
  );
  const points = steps.map(([time, own]) => {
    const values = own.map(({ value }) => value);
    return [time, values.length, meanOf(values), Math.min(...values), Math.max(...values), values.at(-1)!] as const;
  });
  const values = sent.map(({ value }) => value);
  const figures = {
    ...{ count: values.length, min: Math.min(...values), mean: meanOf(values), max: Math.max(...values) },
    ...{ last: values.at(-1)!, lastAt: sent.at(-1)!.time },
  };
  return { points, figures };
}

function expectSame(found: unknown, wanted: unknown) {
  const round = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, one: unknown) =>
      typeof one === "number" ? Number(one.toPrecision(11)) : one,
    );
  expect(round(found)).toEqual(round(wanted));
}

test("a few devices: steps and figures are a recount, in the order of their ids, with what is missing", async () => {
  const answer = await explore(`metric=temperature&devices=d-03,d-01,nobody&points=20&${RANGE}`);
  expect(answer).toMatchObject({ shape: "lines", by: "device", matched: 2, read: 2, missing: ["nobody"], band: null });
  expect(answer.series.map(({ id, site }) => [id, site])).toEqual([
    ["d-01", "south"],
    ["d-03", "south"],
  ]);
  for (const { id, points, figures } of answer.series)
    expectSame({ points, figures }, recount(sentBy(id, answer), answer.bucketMs));
});

test("many devices: strips, the band they lie in, and who stands apart", async () => {
  const answer = await explore(`metric=temperature&${RANGE}`);
  expect(answer).toMatchObject({ shape: "strips", matched: DEVICES, read: DEVICES });
  const steps = (Date.parse(answer.to) - Date.parse(answer.from)) / answer.bucketMs;
  for (const { id, means, figures } of answer.series) {
    const wanted = recount(sentBy(id, answer), answer.bucketMs);
    expectSame(figures, wanted.figures);
    expect(means).toHaveLength(steps);
    for (const [time, , mean] of wanted.points)
      expect(means![(time - Date.parse(answer.from)) / answer.bucketMs]).toBe(Number(mean.toPrecision(5)));
  }
  expect(answer.band!.points.every(([, , p10, median, p90]) => p10 <= median && median <= p90)).toBe(true);
  expect(answer.outliers).toMatchObject([{ id: name(DEVICES - 1), side: "above" }]);
});

const bySite = (answer: ExploreAnswer) => answer.series.map(({ id, unit, devices }) => [id, unit, devices]);

test("sites and types as series: each device counts the same, however often it sends", async () => {
  const answer = await explore(`metric=temperature&by=site&${RANGE}`);
  expect(bySite(answer)).toEqual([
    ["north", null, 15],
    ["south", null, 15],
  ]);
  for (const { id, figures, points } of answer.series) {
    const own = Array.from({ length: DEVICES }, (_, i) => name(i))
      .filter((device) => siteOf(device) === id)
      .map((device) => recount(sentBy(device, answer), answer.bucketMs));
    expectSame(
      [figures.count, figures.mean, figures.last],
      [
        own.reduce((sum, one) => sum + one.figures.count, 0),
        meanOf(own.map((one) => one.figures.mean)),
        meanOf(own.map((one) => one.figures.last)),
      ],
    );
    const [time, count, mean, min, max] = points![3]!;
    const there = own.flatMap((one) => one.points.filter((point) => point[0] === time));
    expectSame(
      [count, mean, min, max],
      [
        there.reduce((sum, point) => sum + point[1], 0),
        meanOf(there.map((point) => point[2])),
        Math.min(...there.map((point) => point[3])),
        Math.max(...there.map((point) => point[4])),
      ],
    );
  }
  expect((await explore(`metric=temperature&by=type&${RANGE}`)).series.map(({ id }) => id)).toEqual(["press"]);
});

test("booleans: the mean is the share that was true", async () => {
  const answer = await explore(`metric=door&devices=d-00&${RANGE}`);
  const values = sentBy("d-00", answer).map(({ value }) => Number(value > 21));
  expect(answer.kind).toBe("boolean");
  expect(answer.series[0]!.figures.mean).toBeCloseTo(meanOf(values), 10);
});

test("booleans of a device hold what they were before the range, also where they say nothing in it", async () => {
  const last = SENT.findLast(({ device }) => device === "d-00")!;
  const after = `from=${iso(START + 3 * HOUR)}&to=${iso(START + 3.5 * HOUR)}`;
  const of = async (query: string) => (await explore(`devices=d-00&${query}`)).series.map(({ held }) => held);
  expect(await of(`metric=door&${after}`)).toEqual([
    { before: { time: last.time, value: Number(last.value > 21) }, until: last.time },
  ]);
  const within = await explore(
    `metric=door&devices=d-00&previous=range&from=${iso(START + HOUR)}&to=${iso(START + 2 * HOUR)}`,
  );
  const before = SENT.findLast(({ device, time }) => device === "d-00" && time < Date.parse(within.from))!;
  expect(within.series[0]!.held!.before).toEqual({ time: before.time, value: Number(before.value > 21) });
  expect(within.previous!.series[0]!.held).toEqual({ before: null, until: last.time });
  expect(await of(`metric=temperature&${RANGE}`)).toEqual([null]);
  expect(await of(`metric=door&by=site&${RANGE}`)).toEqual([null]);
  expect((await explore(`metric=door&${RANGE}`)).series.every(({ held }) => held === null)).toBe(true);
});

test("the same series earlier: a ghost in the same steps, with what to shift it by", async () => {
  const answer = await explore(
    `metric=temperature&devices=d-01&previous=range&points=30&from=${iso(START + HOUR)}&to=${iso(START + 2 * HOUR)}`,
  );
  const { previous } = answer;
  expect(previous!.shiftMs).toBe(HOUR);
  expect([previous!.from, previous!.to]).toEqual([iso(START), iso(START + HOUR)]);
  const { points, figures } = previous!.series[0]!;
  expectSame({ points, figures }, recount(sentBy("d-01", previous!), answer.bucketMs));
  const nothing = await explore(`metric=temperature&devices=d-01&previous=week&${RANGE}`);
  expect(nothing.previous!.series[0]!.figures).toMatchObject({ count: 0, mean: null });
});

test("the file has the same steps, those of both stretches", async () => {
  const query = `metric=temperature&by=site&previous=range&points=30&from=${iso(START + HOUR)}&to=${iso(START + 2 * HOUR)}`;
  const [answer, file] = await Promise.all([explore(query), rig.get("exportExplore", {}, query)]);
  expect(file.headers.get("content-disposition")).toMatch(/temperature-\d{4}/);
  const rows: Record<string, string>[] = parse(await file.text(), { columns: true });
  const told = (period: string, { series }: Pick<ExploreAnswer, "series">) =>
    series.flatMap(({ name: site, points }) =>
      points!.map(([time, count, , min, max]) => [iso(time), period, site, String(count), String(min), String(max)]),
    );
  expect(rows.map((row) => ["time", "period", "site", "count", "min", "max"].map((column) => row[column]))).toEqual([
    ...told("now", answer),
    ...told("previous", answer.previous!),
  ]);
});

test("a filter of the device list selects, and retired devices are left out unless they are named", async () => {
  const ids = async (query: string) =>
    (await explore(`metric=temperature&${query}&${RANGE}`)).series.map(({ id }) => id);
  expect(await ids("site=north&search=d-0")).toEqual(["d-00", "d-02", "d-04", "d-06", "d-08"]);
  const body = JSON.stringify({ devices: ["d-02"], changes: { retired: true } });
  await read(
    deviceChangesAnswer,
    rig.api.handle("changeDevices", new Request("http://here/api", { method: "POST", body, headers: JSON_TYPE }), {}),
  );
  expect(await ids("site=north&search=d-0")).toEqual(["d-00", "d-04", "d-06", "d-08"]);
  expect(await ids("devices=d-02,d-04")).toEqual(["d-02", "d-04"]);
  expect(await ids("where=temperature > 999")).toEqual([]);
});

test("units: series tell theirs, and values in different ones are never put together", async () => {
  const body = JSON.stringify({ unit: "°F", devices: ["d-01", "d-03"] });
  const request = new Request("http://here/api", { method: "PATCH", body, headers: JSON_TYPE });
  await read(metricChanged, rig.api.handle("updateMetric", request, { name: "temperature" }));
  const sites = await explore(`metric=temperature&by=site&${RANGE}`);
  expect(sites.units).toEqual([
    { unit: null, devices: 27 },
    { unit: "°F", devices: 2 },
  ]);
  expect(bySite(sites)).toEqual([
    ["north (no unit)", null, 14],
    ["south (no unit)", null, 13],
    ["south (°F)", "°F", 2],
  ]);
  const { band } = await explore(`metric=temperature&${RANGE}`);
  expect(band).toMatchObject({ unit: null, leftOut: 2 });
  expect(Math.max(...band!.points.map(([, series]) => series))).toBe(27);
});

test("too many to put together is a problem that says how many; too many series are cut, and told", async () => {
  await rig.owner.query(
    `WITH added AS (INSERT INTO device (name, site_id) SELECT 'x-' || lpad(i::text, 5, '0'), 1 FROM generate_series(1, $1) i RETURNING id)
     INSERT INTO device_metric (device_id, metric_id) SELECT added.id, m.id FROM added, metric m WHERE m.name = 'temperature'`,
    [MOST_DEVICES],
  );
  const { kind, detail } = await refused(rig.get("getExplore", {}, `metric=temperature&by=site&${RANGE}`));
  expect([kind, detail]).toEqual(["invalid-parameters", expect.stringContaining(`${MOST_DEVICES + 29} devices match`)]);
  const answer = await explore(`metric=temperature&${RANGE}`);
  expect([answer.matched, answer.read, answer.series.length]).toEqual([MOST_DEVICES + 29, MOST_DEVICES, MOST_DEVICES]);
  expect(answer.series.at(-1)!.figures).toMatchObject({ count: 0, last: null });
  expect((await refused(rig.get("getExplore", {}, "metric=nothing"))).kind).toBe("not-found");
});
