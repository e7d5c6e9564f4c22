import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOG_FIELDS } from "./fields";
import { logsPage } from "./page";

test("docs/logs.md tells every field with its name in ECS, and none else", () => {
  const rows = (text: string) =>
    [...text.matchAll(/^\| `([\w.]+)` *\| `([\w.@]+)` *\| (\w+) *\|/gm)].map(([, ...row]) => row);
  const page = rows(readFileSync("docs/logs.md", "utf8"));
  expect(page).toEqual(Object.entries(LOG_FIELDS).map(([name, { ecs, type }]) => [name, ecs, type]));
  expect(page).toEqual(rows(logsPage()));
});
