import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");

test("each class that a component asks a style sheet for is in it: a missing one is undefined, and the page unstyled in silence", () => {
  const missing: string[] = [];
  let asked = 0;
  const files = ["components", "app"].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => path.join(folder, file)),
  );
  for (const file of files.filter((one) => one.endsWith(".tsx"))) {
    const text = readFileSync(path.join(root, file), "utf8");
    for (const [, name, sheet] of text.matchAll(/import (\w+) from "([^"]+\.module\.css)"/g)) {
      const from = path.join(root, sheet!.startsWith("@/") ? sheet!.slice(2) : path.join(path.dirname(file), sheet!));
      const classes = new Set(
        Array.from(readFileSync(from, "utf8").matchAll(/\.([a-zA-Z_][\w-]*)/g), ([, one]) => one),
      );
      for (const [, used] of text.matchAll(new RegExp(`(?<![\\w./"-])${name}\\.([a-z]\\w*)`, "g"))) {
        asked++;
        if (!classes.has(used)) missing.push(`${file}: ${name}.${used}`);
      }
    }
  }
  expect(missing).toEqual([]);
  expect(asked).toBeGreaterThan(500);
});
