import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvLines } from "./csv";

test("what a spreadsheet would run gets an apostrophe; numbers keep their sign", () => {
  expect(
    csvLines([["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", -1.5, true, false, null, undefined, "a-b"]]),
  ).toBe("'=1+1,'+1,'-1,'@x,'\t=1,' =1,'\uff1d1,-1.5,true,false,,,a-b\r\n");
});

test("any text comes back as it was, but for the apostrophe", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 5 }), (texts) => {
      const line = csvLines([texts]);
      const [read] = parse(line, { record_delimiter: "\r\n", skip_empty_lines: false }) as string[][];
      expect(read?.map((text, i) => (text === `'${texts[i]}` ? texts[i] : text))).toEqual(texts);
      expect(read?.some((text) => /^[=+\-@\t\r\uff1d]/.test(text))).toBe(false);
    }),
  );
});
