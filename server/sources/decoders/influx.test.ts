import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeJson } from "@/server/domain/json";
import type { Part } from "@/server/domain/mapping/delivery";
import { deliveryOf, jsonOf } from "./testing";
import { decodeInflux } from "./influx";

const decode = (text: string, query: Record<string, string> = {}) => decodeInflux(deliveryOf(text, { query }));
const one = (text: string, query?: Record<string, string>) => jsonOf(decode(text, query)[0]!);
const errorOf = (part: Part | undefined) => part && ("error" in part ? `${part.path}: ${part.error}` : null);

describe("line protocol", () => {
  it("reads the measurement, tags, fields of all types and the time in nanoseconds", () => {
    expect(
      one(
        'weather,device=tn1,city=Bremen temp=21.5,count=3i,total=7u,wet=t,dry=False,note="a, b = \\"c\\" \\\\ d" 1556813561098000000',
      ),
    ).toEqual({
      ...{
        device: "tn1",
        series: "weather.city_Bremen",
        measurement: "weather",
        tags: { device: "tn1", city: "Bremen" },
      },
      fields: { temp: 21.5, count: 3, total: 7, wet: true, dry: false, note: 'a, b = "c" \\ d' },
      time: "1556813561098000000",
    });
  });

  it("reads escapes, and leaves a backslash before anything else", () => {
    expect(one("my\\ sensors\\,all,de\\=v\\ ice=a\\,b\\ c\\\\d f\\ 1\\,x=1")).toMatchObject({
      ...{ measurement: "my sensors,all", tags: { "de=v ice": "a,b c\\\\d" }, fields: { "f 1,x": 1 } },
    });
  });

  it("takes a line without a time, without tags, with blanks at its end, and lines ended as Windows does", () => {
    const parts = decode("a x=1 \r\n\r\n# a comment\n  b,host=h y=2 5\r\nc z=3");
    expect(parts.map(({ path }) => path)).toEqual(["line 1", "line 4", "line 5"]);
    expect(parts.map((part) => jsonOf(part))).toMatchObject([
      { measurement: "a", fields: { x: 1 } },
      { device: "h", fields: { y: 2 }, time: "5" },
      { measurement: "c", fields: { z: 3 } },
    ]);
    expect(jsonOf(parts[0]!)).not.toHaveProperty("time");
  });

  it.each([
    ["ns", "1556813561098000001", "1556813561098000001"],
    ["us", "1556813561098000", "1556813561098000000"],
    ["u", "1556813561098000", "1556813561098000000"],
    ["ms", "1556813561098", "1556813561098000000"],
    ["s", "1556813561", "1556813561000000000"],
    ["m", "25946892", "1556813520000000000"],
    ["h", "432448", "1556812800000000000"],
  ])("reads times of precision %s", (precision, written, time) => {
    expect(one(`a x=1 ${written}`, { precision })).toMatchObject({ time });
  });

  it("refuses one bad line by its number and takes the others, text over several lines included", () => {
    const parts = decode('a x=1\na x=\na x="two\nlines",y=2\na x="no end\na x=3');
    expect(parts.map(({ path }) => path)).toEqual(["line 1", "line 2", "line 3", "line 5", "line 6"]);
    expect(errorOf(parts[1])).toBe('line 2: field "x": "" is neither a number, true or false, nor text in quotes');
    expect(jsonOf(parts[2]!)).toMatchObject({ fields: { x: "two\nlines", y: 2 } });
    expect(errorOf(parts[3])).toBe('line 5: the text of field "x" has no end');
    expect(jsonOf(parts[4]!)).toMatchObject({ fields: { x: 3 } });
  });

  it.each([
    ["a", "it has no fields"],
    [",b=c x=1", "it has no measurement"],
    ["a,b x=1", 'tag "b" has no value'],
    ["a,b= x=1", 'tag "b" is empty'],
    ["a ", "it has no fields, or one without a name"],
    ["a x", 'field "x" has no value'],
    ["a x=1,", "it has no fields, or one without a name"],
    ["a x=NaN", 'field "x": "NaN" is neither a number, true or false, nor text in quotes'],
    ["a x=1.5i", 'field "x": "1.5i" is neither a number, true or false, nor text in quotes'],
    ["a x=9223372036854775808i", 'field "x": 9223372036854775808i is out of range'],
    ['a x="b"c', '"c" follows the text of field "x"'],
    ["a x=1,y=2,x=3", 'field "x" is there more than once'],
    ["a,b=c,b=d x=1", 'tag "b" is there more than once'],
    ["a x=1 yesterday", '"yesterday" is not a time'],
    ["a x=1 5 6", '"5 6" is not a time'],
  ])("says what is wrong with %s", (line, error) => {
    expect(errorOf(decode(`ok x=1\n${line}\nok x=2`)[1])).toBe(`line 2: ${error}`);
  });

  it("refuses what is no line at all", () => {
    expect(() => decode("\n# nothing\n")).toThrow("it has no line");
    expect(() => decode("a x=1", { precision: "fortnight" })).toThrow('precision "fortnight" is none of');
    expect(() => decode("a x=1\n".repeat(50_001))).toThrow("more than 50000 parts");
  });

  it("keeps the digits of numbers that no double holds", () => {
    const [part] = decode("a,device=d big=-9007199254740993i,fine=.12345678901234567890123,x=+007.5");
    if (!part || "error" in part) throw new Error("not read");
    expect(writeJson(part.value.json, part.value.tokens)).toContain(
      '"fields":{"big":-9007199254740993,"fine":0.12345678901234567890123,"x":7.5}',
    );
  });

  it("names the device by the tags that name one, else by the whole series", () => {
    expect(one("disk,host=web1,path=/var used=1")).toMatchObject({ device: "web1", series: "disk.path_/var" });
    expect(one("mqtt,host=gw,device_id=s1 used=1")).toMatchObject({ device: "s1", series: "mqtt" });
    expect(one("home,room=Kitchen temp=1")).toMatchObject({ device: "home.room_Kitchen", series: "home" });
  });

  it("has no special key", () => {
    const value = one("a,__proto__=b constructor=1,__proto__=2") as { tags: object; fields: object };
    expect(Object.entries(value.fields)).toEqual([
      ["constructor", 1],
      ["__proto__", 2],
    ]);
    expect(Object.entries(value.tags)).toEqual([["__proto__", "b"]]);
  });

  it("reads what was written, whatever the names and texts are", () => {
    const name = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((text) => !/[\n\r\\#]/.test(text) && text.trim() === text && text !== "__proto__");
    const escaped = (text: string) => text.replace(/[,= ]/g, "\\$&");
    fc.assert(
      fc.property(
        name,
        name,
        name,
        name,
        fc.string({ unit: "grapheme" }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (m, tag, value, field, text, number) => {
          const quoted = text.replace(/["\\]/g, "\\$&");
          const line = `${m.replace(/[, ]/g, "\\$&")},${escaped(tag)}=${escaped(value)} n${escaped(field)}=${number},t="${quoted}" 1`;
          expect(one(line)).toMatchObject({
            measurement: m,
            tags: { [tag]: value },
            fields: { [`n${field}`]: number === 0 ? 0 : number, t: text },
            time: "1",
          });
        },
      ),
    );
  });
});
