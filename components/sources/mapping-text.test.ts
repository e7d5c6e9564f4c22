import { expect, it } from "vitest";
import { faultsOf, mappingText, readMapping } from "./mapping-text";

const text = mappingText({ decode: "json", device: ["{id}"], readings: [{ root: "a" }, { root: "b", depth: 99 }] });

it("reads what it writes, and says where a text is no mapping", () => {
  expect(readMapping(text)).toMatchObject({ ok: true, mapping: { decode: "json" } });
  expect(readMapping(`{\n  "decode" "json"\n}`)).toMatchObject({
    ok: false,
    why: expect.stringContaining("line 2") as string,
  });
  expect(readMapping("[]")).toMatchObject({ ok: false });
  expect(readMapping(`{"a":NaN}`)).toMatchObject({ ok: false });
});

it("finds the line of what is wrong, by its path", () => {
  const problem = {
    ...{ type: "x", title: "x", status: 400 },
    errors: [
      { at: "mapping.readings.1.depth", message: "too big" },
      { at: "mapping.readings.0.rot", message: "unknown" },
      { at: "mapping.time", message: "missing" },
    ],
  };
  const [depth, rot, time] = faultsOf(problem as never, text);
  expect(depth).toMatchObject({ path: "readings.1.depth", message: "too big" });
  expect(text.split("\n")[depth!.line! - 1]).toContain(`"depth": 99`);
  expect(text.split("\n")[rot!.line! - 1]).toContain("{");
  expect(time!.line).toBeNull();
});
