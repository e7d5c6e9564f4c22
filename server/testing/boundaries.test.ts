import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { circles, ROOT_ENTRIES, roomOf, sourceFiles, violations } from "./boundaries";

const root = path.resolve(import.meta.dirname, "../..");

describe("imports point one way", () => {
  test("in every file", () => {
    const files = sourceFiles(root);
    expect(files.length).toBeGreaterThan(20);
    expect(files.flatMap((file) => violations(root, file))).toEqual([]);
  });

  test("and never in a circle", () => {
    expect(circles(root, sourceFiles(root))).toEqual([]);
  });

  test("browser code reaches no server code, however far it follows imports", () => {
    const start = sourceFiles(root).filter((file) => file.startsWith("components/"));
    expect([...reachedFrom(start)].filter((file) => !/^(components|server\/(contracts|domain))\//.test(file))).toEqual(
      [],
    );
  });
});

describe("the root", () => {
  test("holds only what is the program's own or what tools need there", () => {
    expect(readdirSync(root).filter((name) => !ROOT_ENTRIES.includes(name))).toEqual([]);
  });
});

describe("the rules themselves", () => {
  const made: string[] = [];
  afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

  const cases: [file: string, line: string, refused: boolean][] = [
    ["server/domain/a.ts", 'import pg from "pg";', true],
    ["server/domain/a.ts", 'import { z } from "zod";', false],
    ["server/domain/a.ts", 'import type { X } from "../ports/x";', true],
    ["server/ports/a.ts", 'export * from "@/server/domain/terms";', false],
    ["server/pipeline/stages/a.ts", 'const x = await import("../../simulator/run");', true],
    ["server/health/a.ts", 'import { x } from "@/server/jobs/x";', true],
    ["server/health/a.ts", 'import { x } from "../jobs/x";', true],
    ["server/health/a.ts", 'import { x } from "./b";', false],
    ["server/pipeline/a.ts", 'import { x } from "@/server/adapters/postgres/x";', true],
    ["server/api/devices/list.ts", 'import { x } from "@/server/catalog/x";', false],
    ["components/devices/a.tsx", 'import { x } from "@/server/contracts/devices";', false],
    ["components/devices/a.tsx", 'import type { Pool } from "pg";', true],
    ["components/devices/a.tsx", 'import { readFileSync } from "node:fs";', true],
    ["components/devices/a.tsx", 'import { x } from "@/server/postgres/x";', true],
    ["components/devices/a.tsx", 'import { x } from "../overview/x";', true],
    ["components/devices/a.tsx", 'import { x } from "../queries/x";', false],
    ["components/queries/a.ts", 'import { x } from "../devices/x";', true],
    ["components/ui/a.tsx", 'import { x } from "../live/x";', true],
    ["server/boot/a.mjs", 'import { x } from "../pipeline/x";', true],
    ["app/page.tsx", 'import { x } from "@/server/postgres/x";', true],
    ["server/worker.ts", 'import { x } from "./pipeline/x";', false],
    ["server/surprise/a.ts", "export {};", true],
  ];
  test.each(cases)("%s with %s: refused %s", (file, line, refused) => {
    const folder = mkdtempSync(path.join(tmpdir(), "boundaries-"));
    made.push(folder);
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), `${line}\n`);
    expect(violations(folder, file).length > 0).toBe(refused);
  });

  test("a circle is found, through however many files", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "boundaries-"));
    made.push(folder);
    const lines = { "a.ts": './b"', "b.ts": './c"', "c.mjs": './a"', "d.ts": './a"' };
    for (const [name, target] of Object.entries(lines)) writeFileSync(path.join(folder, name), `import "${target};\n`);
    expect(circles(folder, Object.keys(lines)).map((circle) => circle.sort())).toEqual([["a.ts", "b.ts", "c.mjs"]]);
  });

  test("the longest path decides the room", () => {
    expect(roomOf("server/domain/terms.ts")?.name).toBe("domain");
    expect(roomOf("server/main.ts")?.name).toBe("wiring");
    expect(roomOf("docs/a.ts")).toBeUndefined();
  });
});

function reachedFrom(start: readonly string[]): Set<string> {
  const reached = new Set(start);
  const byModule = new Map(sourceFiles(root).map((file) => [file.replace(/(\/index)?\.tsx?$/, ""), file]));
  for (const file of reached) {
    for (const [, target = ""] of readFileSync(path.join(root, file), "utf8").matchAll(/from\s+"((?:@\/|\.)[^"]+)"/g)) {
      const inside = target.startsWith("@/")
        ? target.slice(2)
        : path.posix.normalize(path.posix.join(path.posix.dirname(file), target));
      const found = byModule.get(inside);
      if (found) reached.add(found);
    }
  }
  return reached;
}
