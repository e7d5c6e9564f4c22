import { afterAll, beforeAll, expect, test } from "vitest";
import { createFolderColdStore } from "@/server/adapters/cold/folder";
import { progressJudge } from "@/server/health/event-log";
import { migrate } from "@/server/postgres/migrate";
import { createColdReader } from "@/server/readings/cold/reader";
import { addBlocks, addCatalog, AUGUST, type ColdRig, coldRig, hourOf } from "@/server/testing/cold-rig";
import { freshDatabase, goBackBefore } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { until } from "@/server/testing/until";
import { createPipelineState } from "./pipeline-state";
import { waitOf } from "./waits";

const OCTOBER = Date.UTC(2026, 9, 1);
let rig: ColdRig;
beforeAll(async () => {
  rig = await coldRig();
  await addCatalog(rig.db.pool, { devices: ["a", "b"], metrics: ["x", "y"], rolledUntil: OCTOBER });
  await addBlocks(rig.db.pool, [hourOf(1, 0, { count: 30 })]);
  await rig.move();
  await rig.db.pool.query("UPDATE device SET last_event_time = $1", [new Date(OCTOBER)]);
});
afterAll(() => rig.close());

const stateAt = (log: ReturnType<typeof createScriptedLog>, now: () => number) =>
  createPipelineState({
    ...{ pool: rig.db.pool, eventLog: log, rejected: async () => 0, staleSeconds: 60, now },
    onLogError: () => {},
  });

test("a partition that waits for cold storage is told on Health with the reason, the others get on, and it goes on when that is back", async () => {
  const log = createScriptedLog("here", 2);
  const away = createColdReader(createFolderColdStore("/dev/null/nowhere"), Date.now);
  const worker = await createRig(rig.db.pool, log, { cold: away });
  await Promise.all([worker.begin(0), worker.begin(1)]);
  log.append(0, { device: "a", time: new Date(AUGUST + 1).toISOString(), readings: { x: 7 } });
  log.append(1, { device: "b", time: new Date(OCTOBER + 1000).toISOString(), readings: { x: 7 } });

  // Both came at once, so they were handled as one.
  const [late, other] = await Promise.allSettled([worker.batch(0, 0, 1), worker.batch(1, 0, 1)]);
  expect([late.status, other.status]).toEqual(["rejected", "fulfilled"]);

  let now = Date.now();
  const read = stateAt(log, () => now);
  await until(async () => (await read()).partitions[0]!.waiting !== null);
  const judge = progressJudge();
  expect(judge(await read()).status).toBe("pass");
  await worker.begin(0);
  await expect(worker.batch(0, 0, 1)).rejects.toThrow("nowhere");
  now += 20_000;
  expect(judge(await read())).toMatchObject({
    status: "fail",
    summary: expect.stringMatching(/^Partition 0 has stood still for 20 s; 1 messages? waits? in it\.$/),
    cause: expect.stringContaining("/dev/null/nowhere"),
    fix: expect.stringContaining("COLD_URL"),
  });

  // A worker whose cold storage is there.
  const next = await createRig(rig.db.pool, log, { cold: rig.cold });
  await next.begin(0);
  await next.batch(0, 0, 1);
  const after = await read();
  expect([after.lag, after.partitions[0]!.waiting]).toEqual([0, null]);
  expect(judge(after).status).toBe("pass");
});

test("errors that may hold words of a message aren't quoted", () => {
  expect(waitOf(Object.assign(new Error("could not write block 7"), { code: "53100" })).reason).toBe(
    "could not write block 7",
  );
  expect(waitOf(new TypeError("secret words")).reason).not.toContain("secret");
  expect(waitOf("secret words").reason).not.toContain("secret");
});

test("positions of the version before are kept, and wait for nothing", async () => {
  const db = await freshDatabase();
  try {
    await goBackBefore(db, "20261130350000_partition_waits");
    await db.pool.query(
      "INSERT INTO pipeline_position (cluster, topic, epoch, partition, next, messages) VALUES ('here', 'iot.telemetry', 0, 0, 5, 5)",
    );
    await migrate(db.connectionString);
    const log = createScriptedLog("here", 1);
    for (let i = 0; i < 9; i++) log.append(0, {});
    const state = createPipelineState({
      ...{ pool: db.pool, eventLog: log, rejected: async () => 0, staleSeconds: 60, now: Date.now },
      onLogError: () => {},
    });
    expect((await state()).partitions).toMatchObject([{ lag: 4, committed: 5, waiting: null }]);
  } finally {
    await db.drop();
  }
});
