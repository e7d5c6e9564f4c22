import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ensureSite, findSite } from "@/server/catalog/catalog-writes";
import { loadConfig } from "@/server/config/config";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { runKey } from "./cli";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

test("a key for a site that isn't there is made only when the site is to be added", async () => {
  await db.pool.query("INSERT INTO site (name) VALUES ('north'), ('south')");
  const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const config = loadConfig({ DATABASE_URL: db.appUrl }, "");
  const run = (...argv: string[]) =>
    runKey(config, pino({ level: "silent" }), ["--name", "k", ...argv], { find: findSite, ensure: ensureSite });
  try {
    for (const kind of [[], ["--role", "viewer"], ["--device", "d"]])
      await expect(run("--site", "nrth", ...kind)).rejects.toThrow(/no site nrth\. Is north meant\?/);
    expect(printed).not.toHaveBeenCalled();
    await run("--site", "north");
    await run("--site", "west", "--new-site");
    expect(printed).toHaveBeenCalledTimes(2);
  } finally {
    printed.mockRestore();
  }
  const { rows } = await db.pool.query("SELECT s.name FROM access_key JOIN site s ON s.id = site_id ORDER BY 1");
  expect(rows).toEqual([{ name: "north" }, { name: "west" }]);
});
