import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { METRICS } from "./definitions";
import { metricsPage } from "./page";

test("docs/metrics.md tells every metric once, with its kind and who serves it", () => {
  const rows = (text: string) =>
    [...text.matchAll(/^\| `([a-z_]+)` *\| (\w+) *\| (.*?) *\| ([a-z, ]+?) *\|/gm)].map(([, name, kind, labels, on]) =>
      [name, kind, labels, on].join(" | "),
    );
  const page = rows(readFileSync("docs/metrics.md", "utf8"));
  expect(page).toEqual(rows(metricsPage()));
  expect(page.map((row) => row.split(" ", 1)[0]).sort()).toEqual(Object.keys(METRICS).sort());
});
