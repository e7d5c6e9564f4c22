import { describe, expect, it } from "vitest";
import { compileMapping } from "@/server/domain/mapping/compile";
import { NOTHING_BESIDE } from "@/server/domain/mapping/delivery";
import { mappingSchema, type MappingInput } from "@/server/domain/mapping/mapping";
import { readJson } from "@/server/domain/json";
import { canName, ignored, meaningNone, metricOf, renamed, unitSaid, used, withUnit } from "./mapping-edits";

const base: MappingInput = { decode: "json", device: ["{id}"], readings: [{ root: "data", exclude: ["debug"] }] };
const payload = {
  id: "press-07",
  data: { temp: 70.2, am2301: { "rel.hum": 40 }, debug: 1, state: "unavailable" },
  signal: -70,
};

/** What the pipeline's own function makes of the payload: metric → value. */
function readingsBy(mapping: MappingInput, from: unknown = payload): Record<string, unknown> {
  const value = readJson(JSON.stringify(from));
  const run = compileMapping(mappingSchema.parse(mapping));
  const { messages } = run([{ value, path: "", beside: {} }], {
    body: new Uint8Array(),
    arrived: 1_795_831_391_000,
    beside: NOTHING_BESIDE,
  });
  return Object.fromEntries(messages.flatMap(({ readings }) => readings.map((one) => [one.metric, one.value])));
}

it("reads the payload as the test thinks", () => {
  expect(readingsBy(base)).toEqual({ temp: 70.2, "am2301.rel.hum": 40, state: "unavailable" });
});

describe("renamed", () => {
  it("finds a leaf by its path, of whichever kind its decoder's parts are", () => {
    expect(metricOf({ ...base, decode: "any" }, "data.temp")).toBe("temp");
    expect(metricOf({ ...base, decode: "any" }, "line 3: data.temp")).toBe("temp");
    expect(metricOf({ ...base, decode: "ndjson" }, "line 3: data.temp")).toBe("temp");
  });

  it("gives a leaf another name, and keeps what was said of the old one", () => {
    const said = withUnit(base, "temp", "°F");
    const mapping = renamed(said, "data.temp", "temp", "temperature");
    expect(readingsBy(mapping)).toMatchObject({ temperature: expect.closeTo(21.222, 3) as number });
    expect(readingsBy(mapping)).not.toHaveProperty("temp");
    expect(metricOf(mapping, "data.temp")).toBe("temperature");
    expect(unitSaid(mapping, "temperature")).toBe("°F");
  });

  it("takes its own rule back, and finds keys that hold dots", () => {
    const once = renamed(base, String.raw`data.am2301.rel\.hum`, "am2301.rel.hum", "humidity");
    expect(readingsBy(once)).toMatchObject({ humidity: 40 });
    const back = renamed(once, String.raw`data.am2301.rel\.hum`, "humidity", "am2301.rel.hum");
    expect(back.rename).toEqual([]);
    expect(readingsBy(back)).toEqual(readingsBy(base));
  });

  it("works in every element, under a prefix and in a history", () => {
    const each: MappingInput = {
      ...base,
      each: { path: "list", of: "array" },
      readings: [{ root: "v", prefix: "{kind}." }],
    };
    const list = { list: [{ id: "a", kind: "x", v: { t: 1 } }] };
    expect(readingsBy(renamed(each, "list.0.v.t", "x.t", "temperature"), list)).toEqual({ temperature: 1 });
    const history: MappingInput = {
      ...base,
      readings: [{ root: "data", arrays: "history", historyTime: { path: "at", format: "s" } }],
    };
    const past = { id: "a", data: { old: [{ at: 1_795_831_000, t: 5 }] } };
    const name = metricOf(history, "data.old.0.t")!;
    expect(readingsBy(history, past)).toEqual({ [name]: 5 });
    expect(readingsBy(renamed(history, "data.old.0.t", name, "temperature"), past)).toEqual({ temperature: 5 });
  });
});

it("takes a payload without the list that may be there", () => {
  const optional: MappingInput = {
    ...base,
    ...{ each: { path: "", of: "array", optional: true }, readings: [{ root: "data" }, { root: "" }] },
  };
  const from = { id: "a", temp: 1 };
  expect(readingsBy(renamed(optional, "temp", "temp", "temperature"), from)).toEqual({ temperature: 1 });
  expect(readingsBy(renamed(optional, "0.temp", "temp", "temperature"), [from])).toEqual({ temperature: 1 });
});

describe("ignored and used", () => {
  it("leaves a leaf out, and takes it again", () => {
    const less = ignored(base, "data.temp");
    expect(readingsBy(less)).not.toHaveProperty("temp");
    expect(readingsBy(used(less, "data.temp", "exclude")!)).toEqual(readingsBy(base));
  });

  it("reads what lies outside, and what isn't among the names that are taken", () => {
    expect(readingsBy(used(base, "signal", "outside")!)).toMatchObject({ signal: -70, temp: 70.2 });
    const few: MappingInput = { ...base, readings: [{ root: "data", include: ["temp"] }] };
    expect(readingsBy(used(few, "data.debug", "include")!)).toEqual({ temp: 70.2, debug: 1 });
  });

  it("leaves to the editor what a glob ignores, or a rule that isn't of names", () => {
    const globbed: MappingInput = { ...base, readings: [{ root: "data", exclude: ["de*"] }] };
    expect(used(globbed, "data.debug", "exclude")).toBeNull();
    expect(used(base, "data.debug", "null")).toBeNull();
  });
});

it("says what a value means, once", () => {
  const mapping = meaningNone(meaningNone(base, "state", "unavailable"), "state", "unavailable");
  expect(mapping.absent).toEqual([{ metric: "state", values: ["unavailable"] }]);
  expect(readingsBy(mapping)).not.toHaveProperty("state");
  expect(meaningNone(mapping, "state", "none").absent).toEqual([{ metric: "state", values: ["unavailable", "none"] }]);
});

it("takes a unit back", () => {
  expect(withUnit(withUnit(base, "temp", "°F"), "temp", "").units).toEqual([]);
});

it("names no leaf whose name would stand for others too", () => {
  expect(canName(base, "data.temp")).toBe(true);
  for (const path of ["data.a*b", "data.a?b"]) expect(canName(base, path)).toBe(false);
  const few: MappingInput = { ...base, readings: [{ root: "data", include: ["temp"] }] };
  expect(used(few, "data.a*b", "include")).toBeNull();
});
