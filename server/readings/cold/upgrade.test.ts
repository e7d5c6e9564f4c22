import { expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { goBackBefore } from "@/server/testing/database";
import { addBlocks, addCatalog, coldRig, hourOf } from "@/server/testing/cold-rig";

test("readings of the version before are moved like any", async () => {
  const rig = await coldRig();
  const { db } = rig;
  try {
    await goBackBefore(db, "20261129120000_cold_readings");
    await addCatalog(db.pool, { devices: ["a"], metrics: ["x", "y"], rolledUntil: Date.UTC(2026, 9, 1) });
    // Lie in sample_other, since there was no partition of their month.
    await db.pool.query(
      "INSERT INTO sample_other (device_id, time, metrics, values) VALUES (1, '2026-08-02T00:00Z', '{1}', '{4}')",
    );
    await addBlocks(db.pool, [hourOf(1, 30, { count: 5 })]);
    await migrate(db.connectionString);
    const before = await rig.readings(1);
    expect(before).toHaveLength(11);
    await rig.move();
    expect((await db.pool.query("SELECT FROM sample")).rowCount).toBe(0);
    expect(await rig.readings(1)).toEqual(before);
  } finally {
    await rig.close();
  }
});
