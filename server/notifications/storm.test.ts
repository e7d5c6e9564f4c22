import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { playStorm } from "@/server/testing/storm-rig";

const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-storm-"));
let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(async () => {
  await db.drop();
  rmSync(folder, { recursive: true });
});

test("200 of 400 devices silent at 4 sites in a minute are one message a site and channel, and one when they are back", async () => {
  const report = await playStorm(db, folder, { devices: 400, sites: 8, cut: 4, look: 5 });
  expect(report.told).toEqual([4, 4]);
  expect(report.toldBack).toEqual([4, 4]);
  expect([report.beneath, report.single]).toEqual([200, 0]);
  expect(report.titles).toEqual(
    [1, 2, 3, 4]
      .flatMap((n) => [`Critical: Site cut off, at site-${n}`, `Resolved: Site cut off, at site-${n}`])
      .sort(),
  );
}, 180_000);
