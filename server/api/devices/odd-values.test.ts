import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import { deviceDetail, readingsAnswer } from "@/server/contracts/devices";
import { sparklinesAnswer } from "@/server/contracts/fleet";
import { pipelineAnswer } from "@/server/contracts/pipeline";
import { createApiRig, NDJSON, NOW, read } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const MAX = Number.MAX_VALUE;
const MINUTE = 60_000;
const START = Math.floor(NOW / MINUTE) * MINUTE - 40 * MINUTE;
/** A value a second for half an hour, from the ends of what a double holds. */
const EXTREMES = [MAX, -MAX, MAX, MAX, 1.7e308, 5e-324, -5e-324, -MAX, 1e200, MAX] as const;
/** Names that are members of objects, columns of ours, or paths. */
const NAMES = [
  "time",
  "rounded",
  "device",
  "site",
  "type",
  "id",
  "state",
  "min",
  "max",
  "mean",
  "count",
  "last",
  "toString",
  "valueOf",
  "hasOwnProperty",
  "length",
  "a.b",
  "a",
  "1",
];
const RANGE = `from=${new Date(START).toISOString()}&to=${new Date(START + 31 * MINUTE).toISOString()}`;

beforeAll(async () => {
  const lines = Array.from({ length: 1800 }, (_, i) =>
    JSON.stringify({
      device: "ends",
      time: START + i * 1000,
      readings: { v: EXTREMES[i % 10], up: MAX, tiny: 5e-324, down: -MAX },
    }),
  );
  lines.push(
    JSON.stringify({ device: "names", time: START, readings: Object.fromEntries(NAMES.map((name, i) => [name, i])) }),
  );
  lines.push(JSON.stringify({ device: "toString", time: START, readings: { valueOf: 1 } }));
  expect((await rig.post(lines.join("\n"), { headers: NDJSON })).status).toBe(202);
  await until(async () => (await read(pipelineAnswer, rig.get("getPipeline"))).totals.messages === lines.length, {
    timeoutMs: 20_000,
  });
});

/** Returns the scaled mean of the seconds [from, to) since the start; their sum may be beyond a double. */
function meanOf(from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += EXTREMES[i % 10]! / 4096;
  return (sum / (to - from)) * 4096;
}

const download = async (verb: "downloadCsv" | "downloadJson", id: string, query: string) => {
  const response = await rig.get(verb, { id }, query);
  expect(response.status).toBe(200);
  return response.text();
};

describe("values near the ends of a double", () => {
  test.each([
    ["raw", 5000],
    ["raw", 60],
    ["auto", 5000],
    ["auto", 100],
    ["auto", 10],
    ["minute", 300],
    ["minute", 10],
    ["hour", 10],
  ])("history, %s with %i points: extremes are exact, means lie where they must", async (resolution, maxPoints) => {
    const ask = (metric: string) =>
      read(
        readingsAnswer,
        rig.get(
          "listReadings",
          { id: "ends" },
          `metric=${metric}&resolution=${resolution}&maxPoints=${maxPoints}&${RANGE}`,
        ),
      );
    const { points, bucketMs } = await ask("v");
    expect(points.reduce((sum, { count }) => sum + count, 0)).toBe(1800);
    for (const { time, count, mean, min, max } of points) {
      if (count >= 10) expect([min, max]).toEqual([-MAX, MAX]);
      const first = Math.max(0, (time - START) / 1000);
      expect(Math.abs(mean / MAX - meanOf(first, first + count) / MAX), String(bucketMs)).toBeLessThan(1e-12);
    }
    for (const [metric, value] of [
      ["up", MAX],
      ["down", -MAX],
      ["tiny", 5e-324],
    ] as const)
      for (const { mean, last } of (await ask(metric)).points) expect([mean, last]).toEqual([value, value]);
  });

  test.each(["raw", "minute", "hour", "auto"])("downloads, %s: the same in CSV and JSON", async (resolution) => {
    const query = `metric=v,up,tiny&resolution=${resolution}&maxPoints=20&${RANGE}`;
    const rows = parse(await download("downloadCsv", "ends", query), { columns: true }) as Record<string, string>[];
    const json = JSON.parse(await download("downloadJson", "ends", query)) as {
      rows: { readings: Record<string, unknown> }[];
    };
    expect(rows.length).toBe(json.rows.length);
    rows.forEach((row, i) => {
      const { v, up, tiny } = json.rows[i]!.readings as Record<string, Record<string, number> & number>;
      if (resolution === "raw") expect([row.v, row.up, row.tiny].map(Number)).toEqual([v, up, tiny]);
      else
        for (const figure of ["mean", "min", "max", "last", "count"])
          expect([row[`v ${figure}`], row[`up ${figure}`], row[`tiny ${figure}`]].map(Number)).toEqual([
            v![figure],
            up![figure],
            tiny![figure],
          ]);
    });
    if (resolution === "raw")
      expect(rows.map(({ v }) => Number(v))).toEqual(Array.from({ length: 1800 }, (_, i) => EXTREMES[i % 10]));
  });

  test("sparklines and the device itself", async () => {
    for (const metric of ["v", "up", "down", "tiny"]) {
      const { series } = await read(
        sparklinesAnswer,
        rig.get("listSparklines", {}, `ids=ends&metric=${metric}&minutes=60`),
      );
      const known = series.ends!.filter((value) => value !== null);
      expect(known.length).toBe(30);
      if (metric === "up") expect(known).toEqual(known.map(() => MAX));
    }
    const { values } = await read(deviceDetail, rig.get("getDevice", { id: "ends" }));
    expect(values.v?.value).toBe(EXTREMES[9]);
  });

  test("the views for people who write SQL tell no sum that is none", async () => {
    const { rows } = await rig.owner.query<{ metric: string; sum: number | null; max: number }>(
      "SELECT DISTINCT metric, sum, max FROM reading_minute WHERE device = 'ends' AND metric IN ('up', 'tiny') ORDER BY metric",
    );
    expect(rows).toEqual([
      { metric: "tiny", sum: 60 * 5e-324, max: 5e-324 },
      { metric: "up", sum: null, max: MAX },
    ]);
  });
});

test("numbers that no double holds as they were sent are the nearest everywhere, and marked", async () => {
  const sent = ["9007199254740993", "18446744073709551615", "123456789.123456789", "-0", "0.30000000000000004"];
  const at = (i: number) => new Date(START + i).toISOString();
  const lines = sent.map((v, i) => `{"device":"exact","time":"${at(i)}","readings":{"v":${v},"w":${i}}}`);
  await rig.post(lines.join("\n"), { headers: NDJSON });
  const found = await until(async () => {
    const device = await read(deviceDetail, rig.get("getDevice", { id: "exact" })).catch(() => null);
    return device?.messages === sent.length && device;
  });
  expect(found).toMatchObject({ rounded: { v: at(2) } });
  const query = `metric=v,w&${RANGE}`;
  const rows = parse(await download("downloadCsv", "exact", query), { columns: true }) as Record<string, string>[];
  expect(rows.map(({ time, v }) => [time, Number(v) + 0])).toEqual(sent.map((v, i) => [at(i), Number(v) + 0]));
  expect(rows.map(({ rounded }) => rounded)).toEqual(["v", "v", "v", "", ""]);
  const [minute] = parse(await download("downloadCsv", "exact", `${query}&resolution=minute`), { columns: true });
  expect(minute).toMatchObject({ "v count": "5", rounded: "v" });
  expect((await download("downloadCsv", "exact", `metric=w&${RANGE}`)).split("\r\n")[0]).toBe("time,w");
  const json = JSON.parse(await download("downloadJson", "exact", query)) as {
    metrics: unknown;
    rows: { time: string; readings: { v: number } }[];
  };
  expect(json.metrics).toMatchObject([
    { name: "v", rounded: at(2) },
    { name: "w", rounded: null },
  ]);
  expect(json.rows.map(({ time, readings }) => [time, readings.v])).toEqual(sent.map((v, i) => [at(i), Number(v) + 0]));
});

describe("metrics named as columns of ours, or as members of objects", () => {
  test("CSV and JSON of a device tell them apart", async () => {
    for (const resolution of ["raw", "minute"]) {
      for (const part of [NAMES.slice(0, 9), NAMES.slice(9)]) {
        const query = `metric=${part.join(",")}&resolution=${resolution}&${RANGE}`;
        const [head, line] = parse(await download("downloadCsv", "names", query)) as string[][];
        expect(new Set(head).size).toBe(head!.length);
        expect(line![0]).toBe(new Date(resolution === "raw" ? START : START).toISOString());
        const json = JSON.parse(await download("downloadJson", "names", query)) as {
          rows: { time: string; readings: Record<string, unknown> }[];
        };
        expect(json.rows[0]!.time).toBe(line![0]);
        for (const name of part) {
          const i = NAMES.indexOf(name);
          const own = ["time", "rounded"].includes(name) ? `metric ${name}` : name;
          const heading = resolution === "raw" ? own : `${name} last`;
          expect(Number(line![head!.indexOf(heading)]), name).toBe(i);
          const cell = Object.getOwnPropertyDescriptor(json.rows[0]!.readings, name)?.value as
            | number
            | { last: number };
          expect(typeof cell === "object" ? cell.last : cell, name).toBe(i);
        }
      }
    }
  });

  test("CSV of all devices tells them apart, and gives a device no value it hasn't", async () => {
    const text = await (await rig.get("exportDevices", {}, `metrics=${NAMES.slice(0, 16).join(",")}`)).text();
    const rows = parse(text, { columns: true }) as Record<string, string>[];
    const [head] = parse(text) as string[][];
    expect(new Set(head).size).toBe(head!.length);
    const of = (id: string) => rows.find((row) => row.id === id)!;
    for (const [i, name] of NAMES.slice(0, 16).entries()) {
      const heading = ["site", "type", "id", "state"].includes(name) ? `metric ${name}` : name;
      expect(of("names")[heading], name).toBe(String(i));
    }
    expect([of("ends").toString, of("toString").toString, of("toString").valueOf]).toEqual(["", "", "1"]);
  });

  test("a device named as a member of objects has its own trend", async () => {
    const { series } = await read(
      sparklinesAnswer,
      rig.get("listSparklines", {}, "ids=toString,ends&metric=valueOf&minutes=60"),
    );
    expect(Object.keys(series)).toEqual(["toString"]);
  });
});
