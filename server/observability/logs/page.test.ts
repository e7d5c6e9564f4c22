import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOG_FIELDS } from "./fields";

test("docs/logs.md tells every field with its name in ECS, and none else", () => {
  const page = readFileSync("docs/logs.md", "utf8");
  const rows = [...page.matchAll(/^\| `([\w.]+)` *\| `([\w.@]+)` *\| (\w+) *\|/gm)].map(([, ...row]) => row);
  expect(rows).toEqual(Object.entries(LOG_FIELDS).map(([name, { ecs, type }]) => [name, ecs, type]));
});
