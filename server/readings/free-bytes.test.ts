import { expect, test } from "vitest";
import { createApiRig } from "@/server/testing/api-rig";
import { readFreeBytes } from "./retention";

const rig = createApiRig();

test("what deleted rows left free is told within a tenth, in rows, in values beside them, and in each partition", async () => {
  const { owner } = rig;
  await owner.query(`CREATE TABLE roomy (part int, n int, at timestamptz, bytes bytea) PARTITION BY LIST (part);
    GRANT SELECT ON roomy TO PUBLIC;
    CREATE TABLE roomy_small PARTITION OF roomy FOR VALUES IN (1);
    CREATE TABLE roomy_large PARTITION OF roomy FOR VALUES IN (2);
    ALTER TABLE roomy_large ALTER bytes SET STORAGE EXTERNAL;
    INSERT INTO roomy SELECT 1, n, now(), decode(repeat('5a', 200), 'hex') FROM generate_series(1, 40000) n;
    INSERT INTO roomy SELECT 2, n, now(), decode(repeat('5a', 20000), 'hex') FROM generate_series(1, 500) n`);
  const free = async () => (await readFreeBytes(rig.engines.pool, ["roomy", "no_such_table"])).get("roomy")!;
  const size = async () => {
    const { rows } = await owner.query<{ bytes: number }>(
      "SELECT sum(pg_table_size(relid))::float8 AS bytes FROM pg_partition_tree('roomy')",
    );
    return rows[0]!.bytes;
  };
  const all = await size();
  expect((await free()) / all).toBeLessThan(0.1);
  await owner.query("DELETE FROM roomy WHERE n % 2 = 0");
  expect(await size()).toBe(all);
  expect((await free()) / all).toBeGreaterThan(0.4);
  expect((await free()) / all).toBeLessThan(0.6);
  await owner.query("DELETE FROM roomy");
  expect((await free()) / all).toBeGreaterThan(0.95);
});
