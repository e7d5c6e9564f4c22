import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { coldProbes } from "@/server/health/cold";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { jobContext } from "@/server/testing/job-context";
import { runCold } from "./cli";
import { readAllBlocks } from "./hot-and-cold";
import { coldJobs } from "./jobs";
import { type ColdReader, createColdReader } from "./reader";

const NOW = Date.UTC(2026, 10, 28);
const DAY = 24 * 3_600_000;
const STRETCHES = [1, 2].map((device) => ({ device, from: AUGUST, to: AUGUST + 2 * DAY }));
let rig: ColdRig;
beforeAll(async () => {
  rig = await coldRig();
  await addCatalog(rig.db.pool, { devices: ["a", "b"], metrics: ["x", "y"], rolledUntil: Date.UTC(2026, 9, 1) });
  const odd = (m: number, i: number) => (i % 3 === m % 3 ? NaN : Math.sin(m + i));
  await addBlocks(
    rig.db.pool,
    [1, 2].flatMap((device) =>
      Array.from({ length: 10 }, (_, hour) => hourOf(device, hour * 3, { count: 300, value: odd })),
    ),
  );
  await rig.move();
});
afterAll(() => rig.close());

const move = async (cold: ColdReader) => {
  const jobs = coldJobs({ store: rig.store, cold, afterDays: 30 });
  for (const job of jobs) await job.run(jobContext(rig.db.pool, { now: NOW }));
};
const fileOf = (month: string) => {
  const folder = path.join(rig.folder, "readings", `month=${month}`);
  return path.join(folder, readdirSync(folder).sort().at(-1)!);
};
const flipped = (bytes: Buffer, at: number) => {
  const other = Buffer.from(bytes);
  other[at]! ^= 1 << (at % 8);
  return other;
};

test.each(["by its parts", "as a whole, as files of a version before are"])(
  "whichever bit flips, a file is read as it was written or not at all: compared %s",
  async (how) => {
    if (how !== "by its parts") await rig.db.pool.query("UPDATE cold_file SET crcs = NULL");
    const good = await readAllBlocks(rig.db.pool, createColdReader(rig.store), STRETCHES);
    const file = fileOf("2026-08");
    const bytes = readFileSync(file);
    const end = bytes.length - 600;
    const places = [
      ...Array.from({ length: 100 }, (_, i) => end + i * 6),
      ...Array.from({ length: 100 }, (_, i) => i * 7),
    ];
    for (const at of places) {
      writeFileSync(file, flipped(bytes, at));
      const read = readAllBlocks(rig.db.pool, createColdReader(rig.store), STRETCHES);
      await expect(read, `byte ${at} of ${bytes.length}`).rejects.toThrow("gone or damaged");
    }
    writeFileSync(file, bytes);
    expect(await readAllBlocks(rig.db.pool, createColdReader(rig.store), STRETCHES)).toEqual(good);
  },
);

test("files that are in another place than COLD_URL says are told of with where they were written", async () => {
  const elsewhere = createFolderColdStore(path.join(rig.folder, "elsewhere"));
  await elsewhere.put("readings/another.parquet", new Uint8Array(1));
  const told = `it was written to ${rig.folder}, and COLD_URL is another place`;
  await expect(readAllBlocks(rig.db.pool, createColdReader(elsewhere), STRETCHES)).rejects.toThrow(told);
  const [probe] = coldProbes({ pool: rig.db.pool, coldStore: elsewhere });
  expect(await probe!.run()).toMatchObject({
    status: "fail",
    cause: expect.stringContaining(told),
    fix: expect.stringContaining("where COLD_URL says"),
  });
  const said: string[] = [];
  const deps = { pool: rig.db.pool, store: elsewhere, say: (line: string) => void said.push(line) };
  expect(await runCold(["verify"], deps)).toBe(1);
  expect(said.at(-1)).toContain(`written to ${rig.folder}, and COLD_URL is ${elsewhere.url}`);
});

test("a damaged file is never written anew from what is left of it, and other months go on", async () => {
  const before = await rig.readings(1);
  const file = fileOf("2026-08");
  const bytes = readFileSync(file);
  await addBlocks(rig.db.pool, [
    { device: 1, times: Float64Array.of(AUGUST + 17), metrics: [1], values: Float64Array.of(7) },
    hourOf(1, 31 * 24 + 1, { count: 3 }),
  ]);
  for (const at of [200, bytes.length - 100]) {
    writeFileSync(file, flipped(bytes, at));
    // As after a start, when nothing of the file was read before.
    await expect(move(createColdReader(rig.store, () => NOW))).rejects.toThrow(
      /2026-08 \(readings.* is not in cold storage, or not whole\)/,
    );
  }
  expect(fileOf("2026-08")).toBe(file);
  const { rows } = await rig.db.pool.query(
    "SELECT to_char(month, 'YYYY-MM') AS month FROM cold_file WHERE state = 'kept' ORDER BY 1",
  );
  expect(rows).toEqual([{ month: "2026-08" }, { month: "2026-09" }]);
  writeFileSync(file, bytes);
  await rig.move();
  expect(await rig.readings(1)).toHaveLength(before.length + 7);
});
