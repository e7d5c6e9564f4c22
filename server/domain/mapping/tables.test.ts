import { expect, test } from "vitest";
import { compileMapping } from "./compile";
import { rowReader } from "./csv";
import { NOTHING_BESIDE } from "./delivery";
import { readHeading } from "./headings";
import { type MappingInput, mappingSchema } from "./mapping";

/** What a mapping makes of one row. */
function read(row: Record<string, string>, mapping: Partial<MappingInput>) {
  const run = compileMapping(
    mappingSchema.parse({ decode: "csv", device: ["d"], readings: [{ root: "" }], ...mapping }),
    {},
  );
  const value = rowReader(Object.keys(row))(Object.values(row))!;
  const { messages, refused } = run([{ value, path: "", beside: {} }], {
    ...{ body: new Uint8Array(), arrived: 0, beside: NOTHING_BESIDE },
  });
  const readings = messages.flatMap((message) => message.readings);
  return {
    refused,
    values: Object.fromEntries(readings.map(({ metric, value }) => [metric, value])),
    units: Object.fromEntries(readings.flatMap(({ metric, unit }) => (unit === null ? [] : [[metric, unit]]))),
  };
}

test.each([
  ["21.5", {}, 21.5],
  ["1,234.5", {}, 1234.5],
  ["1 234.5", {}, 1234.5],
  ["-1'234'567.25", {}, -1234567.25],
  ["\u22125.5", {}, -5.5],
  ["1,234", {}, "1,234"],
  ["1,234", { thousands: true }, 1234],
  ["12,34", { thousands: true }, "12,34"],
  ["1,234,56", { thousands: true }, "1,234,56"],
  ["21,5", { decimalComma: true }, 21.5],
  ["1.234,5", { decimalComma: true }, 1234.5],
  ["1.234", { decimalComma: true }, "1.234"],
  ["1.234", { decimalComma: true, thousands: true }, 1234],
  ["21.5", { decimalComma: true }, "21.5"],
  ["007", {}, "007"],
  ["241408E4", {}, "241408E4"],
  ["1.6e9", {}, 1.6e9],
  ["1e3", {}, 1000],
])("%j by %j is %j", (text, values, expected) => {
  expect(read({ a: text }, { values }).values).toEqual({ a: expected });
});

test("units behind values are theirs, and convert", () => {
  const { values, units } = read(
    { a: "21.5 °C", b: "70.2 °F", c: "45%", d: "12 monkeys", e: "3005 mV" },
    { values: { unitsBehind: true } },
  );
  expect(values).toEqual({ a: 21.5, b: expect.closeTo(21.2222, 3) as number, c: 45, d: "12 monkeys", e: 3.005 });
  expect(units).toEqual({ a: "°C", b: "°C", c: "%", e: "V" });
  expect(read({ b: "70.2 °F" }, { values: { unitsBehind: true }, convertUnits: false })).toMatchObject({
    values: { b: 70.2 },
    units: { b: "°F" },
  });
});

test("headings are names with units; a rule for a unit wins", () => {
  const row = { "T (degC)": "1", "CO(GT)": "2", "p [Pa]": "101325", "PM2.5 (ug/m3)": "3", "Außen (°F)": "32" };
  const { values, units } = read(row, { names: "headings", units: [{ metric: "CO_GT", from: { unit: "ppm" } }] });
  expect(values).toEqual({ T: 1, CO_GT: 2, p: 1013.25, "PM2.5": 3, Aussen: 0 });
  expect(units).toEqual({ T: "°C", CO_GT: "ppm", p: "hPa", "PM2.5": "µg/m³", Aussen: "°C" });
  expect(read(row, { names: "headings", rename: [{ from: "T (degC)", to: "outside" }] }).units).toMatchObject({
    outside: "°C",
  });
  expect(readHeading("温度")).toEqual({ metric: "", unit: null });
});

test("texts stay texts, and words for none are read whatever their case", () => {
  const mapping: Partial<MappingInput> = {
    values: { texts: ["serial", "*_id"] },
    absent: [{ metric: "*", values: ["N/A", -999] }],
  };
  const row = { serial: "12", node_id: "1e3", a: "n/a", b: "-999.0", c: "5" };
  expect(read(row, mapping).values).toEqual({ serial: "12", node_id: "1e3", c: 5 });
});

test("what a row has beyond the header isn't read, what it lacks isn't there, and an empty row is none", () => {
  const rowOf = rowReader(["a", "", "b"]);
  expect(rowOf([" 1 ", "x", "2", "3"])?.json).toEqual({ a: "1", b: "2" });
  expect(rowOf(["1"])?.json).toEqual({ a: "1" });
  expect(rowOf(["", "x", " "])).toBeNull();
});
