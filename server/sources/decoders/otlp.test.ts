import { describe, expect, it } from "vitest";
import { writeJson } from "@/server/domain/json";
import { decodeOtlp } from "./otlp";
import { EXPORT_METRICS } from "./otlp-types";
import { deliveryOf, jsonOf, writeProtobuf } from "./testing";

const attribute = (key: string, value: object) => ({ key, value });
const TIME = "1544712660300000001";
const resource = {
  attributes: [
    attribute("host.name", { stringValue: "gw-1" }),
    attribute("ports", { arrayValue: { values: [{ intValue: "1" }] } }),
  ],
};
const exported = (metrics: object[]) => ({
  resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: "s" }, metrics }] }],
});
const METRICS = exported([
  {
    name: "temperature",
    unit: "Cel",
    gauge: {
      dataPoints: [{ timeUnixNano: TIME, asDouble: 21.5, attributes: [attribute("room", { stringValue: "hall" })] }],
    },
  },
  {
    name: "pulses",
    unit: "1",
    sum: {
      dataPoints: [
        { timeUnixNano: TIME, asInt: "-9007199254740993" },
        { timeUnixNano: TIME, asInt: "0", flags: 1, attributes: [attribute("room", { intValue: "3" })] },
      ],
    },
  },
  {
    name: "wait",
    unit: "s",
    histogram: {
      dataPoints: [
        {
          timeUnixNano: TIME,
          count: "3",
          sum: 1.5,
          min: 0.25,
          max: 1,
          bucketCounts: ["1", "2"],
          explicitBounds: [0.5],
        },
      ],
    },
  },
  {
    name: "load",
    unit: "%",
    summary: {
      dataPoints: [{ timeUnixNano: TIME, count: "2", sum: 7, quantileValues: [{ quantile: 0.99, value: 4 }] }],
    },
  },
  {
    name: "size",
    unit: "By",
    exponentialHistogram: {
      dataPoints: [
        {
          timeUnixNano: TIME,
          count: "1",
          sum: 8,
          scale: 2,
          zeroCount: "0",
          positive: { offset: -1, bucketCounts: ["1"] },
        },
      ],
    },
  },
]);

const json = (message: unknown) => decodeOtlp(deliveryOf(JSON.stringify(message), { contentType: "application/json" }));
const protobuf = (message: object) =>
  decodeOtlp(deliveryOf(writeProtobuf(message, EXPORT_METRICS), { contentType: "application/x-protobuf" }));

describe("OTLP metrics", () => {
  it("become readings, grouped by time and unit", () => {
    const resource = { "host.name": "gw-1", ports: ["1"] };
    const about = { resource, scope: { name: "s" }, device: "gw-1", time: TIME };
    expect(json(METRICS).map(jsonOf)).toEqual([
      { ...about, unit: "Cel", readings: { "temperature.room_hall": 21.5 } },
      {
        ...about,
        readings: { pulses: -9007199254740992, "wait.count": 3, "load.count": 2, "size.count": 1 },
        other: { "pulses.room_3": "no recorded value" },
      },
      {
        ...{ ...about, unit: "s", readings: { "wait.sum": 1.5, "wait.min": 0.25, "wait.max": 1 } },
        other: { "wait.bucketCounts": ["1", "2"], "wait.explicitBounds": [0.5] },
      },
      { ...about, unit: "%", readings: { "load.sum": 7, "load.quantile.0.99": 4 } },
      {
        ...{ ...about, unit: "By", readings: { "size.sum": 8 } },
        other: { "size.scale": 2, "size.zeroCount": "0", "size.positive": { offset: -1, bucketCounts: ["1"] } },
      },
    ]);
  });

  it("say the same in JSON and in protobuf, digits included", () => {
    const written = (parts: ReturnType<typeof json>) =>
      parts.map((part) =>
        "error" in part ? part : { path: part.path, json: writeJson(part.value.json, part.value.tokens) },
      );
    expect(written(protobuf(METRICS))).toEqual(written(json(METRICS)));
    expect(written(protobuf(METRICS))[1]).toMatchObject({
      json: expect.stringContaining('"pulses":-9007199254740993') as string,
    });
  });

  it("take times and integers that JSON has as numbers", () => {
    const text = JSON.stringify(exported([{ name: "n", gauge: { dataPoints: [{ timeUnixNano: "T", asInt: "I" }] } }]))
      .replace('"T"', TIME)
      .replace('"I"', "12");
    expect(jsonOf(decodeOtlp(deliveryOf(text))[0]!)).toMatchObject({ time: TIME, readings: { n: 12 } });
  });

  it("have a series that comes twice at one time twice", () => {
    const point = (asDouble: number) => ({ timeUnixNano: TIME, asDouble });
    const parts = json(exported([{ name: "n", gauge: { dataPoints: [point(1), point(2)] } }]));
    expect(parts.map((part) => (jsonOf(part) as { readings: object }).readings)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it("lose no leaf: each is in a name, a reading, or told beside them, or its metric is refused by name", () => {
    const one = (more: object, of: object = {}) => ({
      ...{ name: "m", unit: "By", description: "what it is", ...of },
      sum: {
        ...{ aggregationTemporality: 2, isMonotonic: true },
        dataPoints: [{ startTimeUnixNano: "1", timeUnixNano: TIME, ...more }],
      },
    });
    const exemplars = [{ timeUnixNano: TIME, asDouble: 4 }];
    const histogram = { dataPoints: [{ timeUnixNano: TIME, bucketCounts: ["0"] }] };
    const parts = json(
      exported([
        one({ asInt: "5", exemplars }),
        ...[one({ asDouble: "NaN" }, { name: "nan" }), one({ asDouble: "soon" }, { name: "text" })],
        ...[one({}, { name: "none" }), { name: "empty", histogram }, { name: "odd", trend: {} }],
      ]),
    );
    const about = { resource: { "host.name": "gw-1", ports: ["1"] }, scope: { name: "s" }, device: "gw-1", time: TIME };
    const said = (name: string) => ({
      [`${name}.description`]: "what it is",
      [`${name}.aggregationTemporality`]: 2,
      [`${name}.isMonotonic`]: true,
      [`${name}.startTimeUnixNano`]: "1",
    });
    expect(parts.map((part) => ("error" in part ? `${part.path}: ${part.error}` : jsonOf(part)))).toEqual([
      {
        ...{ ...about, unit: "By", readings: { m: 5 } },
        other: { ...said("m"), "m.exemplars": exemplars, ...said("nan"), nan: "NaN", ...said("text"), ...said("none") },
      },
      '#2 text: text is "soon", which is no number',
      "#3 none: a point of it has neither asDouble nor asInt",
      { ...about, readings: { "empty.count": 0 }, other: { "empty.bucketCounts": ["0"] } },
      "#5 odd: it is none of gauge, sum, histogram, exponentialHistogram, summary",
    ]);
  });

  it("may be none, and are refused where they aren't theirs", () => {
    expect(json({})).toEqual([]);
    expect(protobuf({})).toEqual([]);
    expect(() => json({ resourceLogs: [] })).toThrow('there is no "resourceMetrics"');
    expect(() => json([])).toThrow('there is no "resourceMetrics"');
    expect(
      () =>
        protobuf({ resourceMetrics: [] }) &&
        decodeOtlp(deliveryOf("\u0007nonsense", { contentType: "application/x-protobuf" })),
    ).toThrow("it is not protobuf of this kind");
  });

  it("don't nest, or repeat nothing, without bounds", () => {
    let value: object = { stringValue: "x" };
    for (let i = 0; i < 200; i++) value = { arrayValue: { values: [value] } };
    expect(() => protobuf({ resourceMetrics: [{ resource: { attributes: [attribute("a", value)] } }] })).toThrow(
      "nested more than",
    );
    expect(() => decodeOtlp(deliveryOf(new Uint8Array(4_000_000).map((_, i) => (i % 2 === 0 ? 10 : 0))))).toThrow(
      "it has more than 1000000 fields",
    );
  });
});
