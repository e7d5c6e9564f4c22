import { expect, test } from "vitest";
import { UNITS } from "./table";
import { canonicalOf, convert, parseUnit } from "./units";

/** As a source's value comes out. */
function canonical(value: number, text: string): [number | null, string] | null {
  const unit = parseUnit(text);
  return unit && [convert(value, unit, canonicalOf(unit)), canonicalOf(unit).symbol];
}

test.each([
  [70.2, "°F", 21.222222222222, "°C"],
  [29.92, "inHg", 1013.20453696, "hPa"],
  [3005, "mV", 3.005, "V"],
  [101325, "Pa", 1013.25, "hPa"],
  [295.35, "K", 22.2, "°C"],
  [273.16, "K", 0.01, "°C"],
  [-40, "degF", -40, "°C"],
  [21.7, "mV", 0.0217, "V"],
  [14.7, "psi", 1013.5293221004, "hPa"],
  [760, "mmHg", 1013.2472, "hPa"],
  [60, "mph", 26.8224, "m/s"],
  [36, "km/h", 10, "m/s"],
  [10, "kn", 5.14444444444444, "m/s"],
  [1.2, "in", 30.48, "mm"],
  [0.3, "mm", 0.3, "mm"],
  [26.2, "mi", 42.1648128, "km"],
  [3, "KB", 3000, "B"],
  [2, "MiBy", 2_097_152, "B"],
  [1500, "Wh", 1.5, "kWh"],
  [90_000, "W·min", 1.5, "kWh"],
  [3.6, "MJ", 1, "kWh"],
  [2, "h", 7200, "s"],
  [12, "ug/m3", 12, "µg/m³"],
  [100, "lux", 100, "lx"],
  [-71, "dBm", -71, "dBm"],
  [412, "ppm", 412, "ppm"],
  [Math.PI, "rad", 179.999999999994, "°"],
])("%d %s is %d %s", (value, text, converted, symbol) => {
  const found = canonical(value, text);
  expect(found?.[0]).toBeCloseTo(converted, 9);
  expect(found?.[1]).toBe(symbol);
});

test("conversions leave no noise behind", () => {
  expect(canonical(3005, "mV")![0]).toBe(3.005);
  expect(canonical(295.35, "K")![0]).toBe(22.2);
  expect(canonical(101325, "Pa")![0]).toBe(1013.25);
  for (let millis = -5000; millis <= 5000; millis++)
    expect(canonical(millis, "mV")![0]).toBe(Number(`${millis}e-3`) + 0);
});

test("what is converted and converted back is what it was", () => {
  for (const from of UNITS)
    for (const to of UNITS.filter(({ dimension }) => dimension === from.dimension))
      for (const value of [0, 1, -12.5, 70.2, 1013.25])
        expect(convert(convert(value, from, to)!, to, from)).toBeCloseTo(value, 5);
});

test("only what measures the same converts", () => {
  expect(convert(3.1, parseUnit("V")!, parseUnit("%")!)).toBeNull();
  expect(convert(1, parseUnit("%")!, parseUnit("ppm")!)).toBeNull();
});

test.each([
  ["°C", "°C"],
  ["℃", "°C"],
  ["degC", "°C"],
  ["Cel", "°C"],
  ["CELSIUS", "°C"],
  ["Celsius", "°C"],
  ["C", "°C"],
  ["F", "°F"],
  ["[degF]", "°F"],
  ["lux", "lx"],
  ["Lux", "lx"],
  ["μg/m³", "µg/m³"],
  ["\u2126", "Ω"],
  ["RPM", "rpm"],
  ["By", "B"],
  ["kWh", "kWh"],
  [" hPa ", "hPa"],
])("%s is written %s", (text, symbol) => expect(parseUnit(text)?.symbol).toBe(symbol));

test.each(["", " ", "coulomb", "mWh", "mPa", "mHz", "foo", "constructor", "__proto__", "°", "m V"])(
  "%j is what the table says, or nothing",
  (text) => expect(parseUnit(text)?.symbol ?? null).toBe(text === "°" ? "°" : null),
);

test("no spelling stands for two units, and each canonical unit is its own", () => {
  const seen = new Map<string, string>();
  for (const { symbol, aliases } of UNITS)
    for (const spelling of [symbol, ...aliases]) {
      expect(seen.get(spelling) ?? symbol, spelling).toBe(symbol);
      seen.set(spelling, symbol);
    }
  for (const unit of UNITS) {
    expect(canonicalOf(unit).dimension).toBe(unit.dimension);
    expect(canonicalOf(canonicalOf(unit))).toBe(canonicalOf(unit));
  }
});
