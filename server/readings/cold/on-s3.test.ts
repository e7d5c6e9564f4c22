import { expect, test } from "vitest";
import { createS3ColdStore } from "@/server/adapters/cold/s3";
import { addBlocks, addCatalog, AUGUST, coldRig, hourOf } from "@/server/testing/cold-rig";
import { describeWithS3 } from "@/server/testing/engines";
import { runCold } from "./cli";

describeWithS3("readings in S3", ({ endpoint, bucket }) => {
  test("a month is moved, takes late readings, is verified and brought back, and is the same all along", async () => {
    const credentials = () => ({ accessKeyId: "key", secretAccessKey: "secret" });
    const place = { bucket, prefix: "months", endpoint, region: "eu-central-1", credentials };
    const rig = await coldRig(createS3ColdStore(place));
    const { pool } = rig.db;
    try {
      const metrics = ["temperature", "motion"];
      await addCatalog(pool, { devices: ["press-07", "oven"], metrics, rolledUntil: Date.UTC(2026, 9, 1) });
      const hours = Array.from({ length: 200 }, (_, i) => hourOf((i % 2) + 1, i * 3));
      await addBlocks(pool, hours);
      const all = () => Promise.all([1, 2].map((device) => rig.readings(device)));
      const hot = async () => Number((await pool.query("SELECT count(*) AS n FROM sample")).rows[0].n);
      const run = (...argv: string[]) => runCold(argv, { pool, store: rig.store, say: () => {} });
      const before = await all();
      expect(before.map(({ length }) => length)).toEqual([12_000, 12_000]);

      await rig.move();
      expect(await hot()).toBe(0);
      expect(await all()).toEqual(before);

      const late = { device: 2, times: Float64Array.of(AUGUST + 17), metrics: [1], values: Float64Array.of(7) };
      await addBlocks(pool, [late]);
      const withLate = [before[0]!, [`${AUGUST + 17} 1 7`, ...before[1]!]];
      expect(await all()).toEqual(withLate);
      await rig.move();
      expect(await hot()).toBe(0);
      expect(await all()).toEqual(withLate);
      await pool.query("UPDATE cold_file SET since = since - interval '1 hour' WHERE state = 'removing'");
      await rig.move();
      expect((await rig.store.list("readings")).length, "what the late reading replaced is gone").toBe(1);

      expect(await run("verify")).toBe(0);
      expect(await run("restore", "--month", "2026-08")).toBe(0);
      expect(await hot()).toBeGreaterThan(0);
      expect(await all()).toEqual(withLate);
    } finally {
      await rig.close();
    }
  }, 120_000);
});
