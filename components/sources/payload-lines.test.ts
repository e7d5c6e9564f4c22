import { expect, it } from "vitest";
import { payloadLines, scalarIn } from "./payload-lines";

const leaf = (path: string, as: "reading" | "ignored" = "reading") => ({ path, as, why: "" });

it("shows a payload as lines with every digit, each leaf with what became of it", () => {
  const leaves = [leaf("a"), leaf(String.raw`b.0.c\.d`), leaf("b.1", "ignored"), leaf("e"), leaf("elsewhere")];
  const { lines, rest } = payloadLines(`{"a":1.50,"b":[{"c.d":"x"},2],"e":{}}`, leaves)!;
  expect(lines.map(({ depth, key, text }) => " ".repeat(depth) + key + text)).toEqual([
    "{",
    ` "a": 1.50,`,
    ` "b": [`,
    "  {",
    `   "c.d": "x"`,
    "  },",
    "  2",
    " ],",
    ` "e": {}`,
    "}",
  ]);
  expect(lines.flatMap((line) => line.leaf?.path ?? [])).toEqual(["a", String.raw`b.0.c\.d`, "b.1", "e"]);
  expect(rest.map(({ path }) => path)).toEqual(["elsewhere"]);
});

it("finds the leaves of parts that are places in the same tree", () => {
  const { lines, rest } = payloadLines(`{"metrics":[{"fields":{"a":1}}]}`, [leaf("metrics.0: fields.a")])!;
  expect(lines.flatMap((line) => line.leaf?.path ?? [])).toEqual(["metrics.0: fields.a"]);
  expect(rest).toEqual([]);
});

it("takes a bare value, and leaves alone what is no JSON", () => {
  expect(payloadLines("21.5", [leaf("")])!.lines).toEqual([{ depth: 0, key: "", text: "21.5", leaf: leaf("") }]);
  expect(payloadLines("weather temp=1", [])).toBeNull();
});

it("reads what a line holds", () => {
  expect(scalarIn(`"unavailable",`)).toBe("unavailable");
  expect(scalarIn("-127,")).toBe(-127);
  expect(scalarIn("null")).toBeUndefined();
  expect(scalarIn("{}")).toBeUndefined();
});
