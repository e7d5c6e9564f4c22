import { expect, test } from "vitest";
import { createS3ColdStore } from "@/server/adapters/cold/s3";
import { addBlocks, addCatalog, AUGUST, coldRig, hourOf } from "@/server/testing/cold-rig";
import { describeWithS3 } from "@/server/testing/engines";
import { withTransaction } from "@/server/postgres/transaction";
import { takeDevice } from "../removals";
import { runCold } from "./cli";

describeWithS3("readings in S3", ({ endpoint, bucket }) => {
  test("a month is moved, takes late readings, is verified and brought back, and is the same all along; an erased device leaves the bucket", async () => {
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

      // A device that is erased leaves the bucket: the object that had it is gone, and the one in its place has the others to the bit.
      expect(await run("release", "--month", "2026-08")).toBe(0);
      await rig.move();
      const { rows: had } = await pool.query<{ name: string }>("SELECT name FROM cold_file WHERE state = 'kept'");
      await pool.query("DELETE FROM device WHERE name = 'oven'");
      await withTransaction(pool, async (tx) => {
        while ((await takeDevice(tx, 2)).rows > 0);
      });
      await rig.move();
      await pool.query("UPDATE cold_file SET since = since - interval '1 hour' WHERE state = 'removing'");
      await rig.move();
      const left = (await rig.store.list("readings")).map(({ name }) => name);
      expect(left).toHaveLength(1);
      expect(had.map(({ name }) => name)).not.toContain(left[0]);
      expect(await all()).toEqual([withLate[0], []]);
      const { rows } = await pool.query("SELECT sum(rows)::int AS rows FROM cold_file");
      expect(rows).toEqual([{ rows: withLate[0]!.length / 2 }]);
    } finally {
      await rig.close();
    }
  }, 120_000);
});
