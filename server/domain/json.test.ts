import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson, repeatedPlaces, writeJson } from "./json";

const WORDS = [
  ...["NaN", "nan", "-NaN", "Infinity", "-Infinity", "+inf", "INF"],
  ...["-nan(ind)", "nan(0x7ff)", "1.#INF", "-1.#INF00", "1.#QNAN", "-1.#IND", "1.#SNAN0"],
];

describe("readJson", () => {
  it("reads JSON as JSON.parse does, and refuses what that refuses", () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:\\u00e5 \n0-.eE+a',
      "true",
      '"nan"',
      '"k":',
      "1e999",
      "9007199254740993",
      "x1",
    );
    const text = fc.oneof(
      fc.json(),
      fc.array(pieces).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (json) => {
        let expected: unknown;
        try {
          expected = JSON.parse(json);
        } catch {
          expect(() => readJson(json)).toThrow(SyntaxError);
          return;
        }
        expect(readJson(json).json).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it("tells which members come again in their object, and only those", () => {
    const repeated = (text: string) => readJson(text).repeated;
    expect(repeated('{"a":1,"b":{"a":2,"c":"a:{\\"a"},"d":[{"a":1},{"a":":"}]}')).toBeUndefined();
    expect(repeated('{"a":1,"b":{"c":2, "\\u0063" :3},"a":{"a":1}}')).toEqual([["b", "c"], ["a"]]);
    expect(repeated('[{"a":NaN,"a":1,"a":9007199254740993}]')).toEqual([
      ["0", "a"],
      ["0", "a"],
    ]);
    expect(repeated('[[1,2],{"b":[{},{"a":1,"a":2}]}]')).toEqual([["1", "b", "1", "a"]]);
    expect(repeated('{"__proto__":1,"7":2}')).toBeUndefined();
    fc.assert(fc.property(fc.json(), (text) => void expect(readJson(text).repeated).toBeUndefined()));
    const again = (text: string) => {
      const reading = readJson(text);
      return writeJson(reading.json, reading.tokens, repeatedPlaces(reading));
    };
    expect(again('{"a":1,"b":{"c\\"":2,"c\\"":9007199254740993},"a":"x"}')).toBe(
      '{"a":"x","b":{"c\\"":9007199254740993,"c\\"":9007199254740993},"a":"x"}',
    );
    expect(again('[{"a":1,"a":{"a":2,"a":3}}]')).toBe('[{"a":{"a":3,"a":3},"a":{"a":3,"a":3}}]');
  });

  it("takes bare words for numbers that are not finite, wherever a value may be", () => {
    for (const word of WORDS) {
      expect(readJson(`[1,${word} ]`).json).toEqual([1, expectedOf(word)]);
      expect(readJson(`{"a":{"__proto__" : ${word}}}`).json).toEqual(
        JSON.parse(`{"a":{"__proto__":null}}`, (key, value) =>
          key === "__proto__" ? expectedOf(word) : (value as unknown),
        ),
      );
      expect(readJson(word).json).toEqual(expectedOf(word));
    }
  });

  it("refuses them as names, and words that only contain them", () => {
    for (const text of [
      "{NaN:1}",
      "[banana]",
      "[NaN1]",
      "[1NaN]",
      "[NaN NaN]",
      "[--inf]",
      "[infinit]",
      '["NaN]',
      "[.NaN]",
      "[nan(]",
      "[1.#]",
      "[1.#INFO]",
      "[2.#INF]",
      '{"a":NaN,}',
    ])
      expect(() => readJson(text), text).toThrow(SyntaxError);
  });

  it("leaves strings alone", () => {
    const text = '{"a":"NaN, \\"inf\\\\","b":NaN,"c":"\\\\","d":Infinity,"9007199254740993":"9007199254740993"}';
    expect(readJson(text).json).toEqual({
      a: 'NaN, "inf\\',
      b: NaN,
      c: "\\",
      d: Infinity,
      "9007199254740993": "9007199254740993",
    });
  });

  it("reads hostile texts in a moment", () => {
    for (const text of [
      '"\\"'.repeat(20_000) + "nan",
      "nan ".repeat(16_000),
      "[".repeat(30_000) + "NaN",
      "9".repeat(64_000),
      `{"a":NaN}${" ".repeat(60_000)}x`,
    ]) {
      const start = performance.now();
      try {
        readJson(text);
      } catch {
        // Refused is as good; what counts is the time.
      }
      expect(performance.now() - start, text.slice(0, 20)).toBeLessThan(500);
    }
  });

  it.each([
    ["9007199254740993", true],
    ["9007199254740992", false],
    ["-18446744073709551615", true],
    ["18446744073709551616", false],
    ["1152921504606846976", false],
    ["9007199254740992.000", false],
    ["123456789.123456789", true],
    ["0.30000000000000004", false],
    ["22.700000762939453125", false],
    ["0.1000000000000000055511151231257827", false],
    ["1.7976931348623157e308", false],
    ["5e-324", false],
    ["3e-324", true],
    ["1e-400", true],
    ["0e-400", false],
    ["1E+0021", false],
    ["1863669386982157.2", false],
    ["1863669386982157.3", false],
    ["1863669386982157.25", false],
  ])("tells of %s whether a double holds it: rounded %s", (token, isRounded) => {
    const { json, tokens } = readJson(`{"a":[${token}]}`);
    expect((json as { a: number[] }).a).toEqual([Number(token)]);
    expect([...tokens.values()].flatMap((keys) => [...keys])).toEqual(isRounded ? [["0", token]] : []);
  });

  it("judges a number at first sight as it does when it looks closer", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 13, maxLength: 19 });
    const near = fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e22 });
    const token = fc.oneof(
      fc
        .tuple(fc.boolean(), digits, fc.nat(25), fc.option(fc.integer({ min: -330, max: 320 })))
        .map(([minus, all, point, exponent]) => {
          const text = `0${all.join("")}`.replace(/^0+(?=\d)/, "");
          const at = 1 + (point % text.length);
          const fraction = at < text.length ? `.${text.slice(at)}` : "";
          return `${minus ? "-" : ""}${text.slice(0, at)}${fraction}${exponent === null ? "" : `e${exponent}`}`;
        }),
      // Numbers as writers of 15 to 18 digits have them, and the same with another last digit.
      fc.tuple(near, fc.integer({ min: 15, max: 18 })).map(([value, precision]) => value.toPrecision(precision)),
      fc.tuple(near, fc.integer({ min: 0, max: 9 })).map(([value, last]) => `${value}`.replace(/\d$/, String(last))),
    );
    fc.assert(
      fc.property(token, (text) => {
        const [first, closer] = [`[${text}]`, `[${text},NaN]`].map((json) => {
          const { json: read, tokens } = readJson(json);
          return tokens.get(read as object)?.get("0");
        });
        expect(first).toBe(closer);
      }),
      { numRuns: 3000 },
    );
  });

  it("marks no number that JavaScript wrote", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(
          readJson(`[${JSON.stringify(value)},NaN]`)
            .tokens.values()
            .next().value,
        ).toEqual(new Map([["1", "NaN"]]));
      }),
    );
  });
});

it("writes numbers as they were read", () => {
  const text = '{"a":NaN,"b":[9007199254740993,1,-inf],"c":"NaN"}';
  const { json, tokens } = readJson(text);
  expect(writeJson(json, tokens)).toBe(text);
  expect(writeJson({ moved: (json as { b: unknown }).b }, tokens)).toBe('{"moved":[9007199254740993,1,-inf]}');
});

function expectedOf(word: string): number {
  return /nan|ind/i.test(word) ? NaN : word.startsWith("-") ? -Infinity : Infinity;
}
