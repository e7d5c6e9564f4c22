import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sourceFiles } from "@/server/testing/boundaries";
import { makeFolder, makeFolderSync } from "./make-folder.mjs";

const root = mkdtempSync(path.join(tmpdir(), "fieldwatch-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.each([
  ["makeFolder", makeFolder],
  ["makeFolderSync", async (folder: string, mode?: number) => makeFolderSync(folder, mode)],
] as const)("%s", (name, make) => {
  test("makes a folder and its parents, once", async () => {
    const folder = path.join(root, name, "a", "b");
    await make(folder, 0o700);
    await make(folder, 0o711);
    expect((statSync(folder).mode & 0o777).toString(8)).toBe("700");
    await make("/");
  });

  test("says that a file stands in the way", async () => {
    const file = path.join(root, `${name}-file`);
    writeFileSync(file, "");
    await expect(make(file)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(make(path.join(file, "below"))).rejects.toMatchObject({ code: "EEXIST", path: file });
  });

  test.runIf(process.platform === "linux")("ends where there can be none", async () => {
    await expect(make("/proc/fieldwatch/data")).rejects.toMatchObject({ code: "ENOENT", path: "/proc/fieldwatch" });
  });
});

test("nothing that runs makes folders by mkdir's own way to parents", () => {
  const running = sourceFiles(".").filter((file) =>
    /^server\/(?!build|testing\/|boot\/setup-steps|.*\.test\.)/.test(file),
  );
  const found = running.filter((file) => /mkdir(Sync)?\([^;]*recursive/.test(readFileSync(file, "utf8")));
  expect(found).toEqual([]);
});
