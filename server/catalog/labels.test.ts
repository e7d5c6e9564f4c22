import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "@/server/postgres/migrate";
import { withTransaction } from "@/server/postgres/transaction";
import { freshDatabase, goBackBefore, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { writeProperties } from "./device-properties";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

let second = 0;
const said = (device: string, labels?: unknown) => ({
  device,
  time: new Date(Date.UTC(2026, 0, 15, 12, 0, second++)).toISOString(),
  readings: { t: 1 },
  ...(labels !== undefined && { labels }),
});

async function labelsOf(device: string) {
  const { rows } = await db.pool.query<{ key: string; value: string; person: boolean; said: string | null }>(
    `SELECT key, value, by_person AS person, said FROM device_label l JOIN device d ON d.id = l.device_id
     WHERE d.name = $1 ORDER BY key`,
    [device],
  );
  return rows.map(({ key, value, person, said }) => [key, value, person ? "person" : "messages", said]);
}

const write = (device: string, labels: Record<string, string | null>) =>
  withTransaction(db.pool, (tx) =>
    writeProperties({ tx, now: Date.now(), sites: "all" }, device, { labels }, null).then((result) => {
      if (typeof result === "string") throw new Error(result);
    }),
  );

test("a database from before labels keeps what it has, and takes labels from then on", async () => {
  await goBackBefore(db, "20261130500000_device_labels");
  await db.pool.query(`INSERT INTO device (name, messages, notes) VALUES ('old-1', 3, 'behind the gate')`);
  await migrate(db.connectionString);
  const log = createScriptedLog("upgrade", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, said("old-1", { room: "kitchen" }));
  await rig.drain();
  const { rows } = await db.pool.query(`SELECT messages::int, notes FROM device WHERE name = 'old-1'`);
  expect(rows).toEqual([{ messages: 4, notes: "behind the gate" }]);
  expect(await labelsOf("old-1")).toEqual([["room", "kitchen", "messages", "kitchen"]]);
});

test("messages label their device; what they don't say any more stays; a person's word wins until it is taken back", async () => {
  const log = createScriptedLog("words", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, said("a", { room: " kitchen ", floor: "1" }));
  log.append(0, said("a", { room: "hall" }));
  log.append(0, said("b"));
  await rig.drain(2);
  await rig.drain();
  expect(await labelsOf("a")).toEqual([
    ["floor", "1", "messages", "1"],
    ["room", "hall", "messages", "hall"],
  ]);
  expect(await labelsOf("b")).toEqual([]);

  await write("a", { room: "cellar", owner: "Ada" });
  log.append(0, said("a", { room: "attic", floor: "1" }));
  await rig.drain();
  expect(await labelsOf("a")).toEqual([
    ["floor", "1", "messages", "1"],
    ["owner", "Ada", "person", null],
    ["room", "cellar", "person", "attic"],
  ]);
  await write("a", { room: null, owner: null });
  expect(await labelsOf("a")).toEqual([
    ["floor", "1", "messages", "1"],
    ["room", "attic", "messages", "attic"],
  ]);
});

test("what messages always say is written once, also by another worker, and after a batch that failed", async () => {
  const log = createScriptedLog("once", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, said("c", { room: "x" }));
  rig.faults.next = "beforeCommit";
  await expect(rig.drain()).rejects.toThrow();
  await rig.drain();
  const written = async () =>
    (await db.pool.query<{ at: string }>(`SELECT xmin::text AS at FROM device_label WHERE value = 'x'`)).rows[0]!.at;
  const at = await written();
  log.append(0, said("c", { room: "x" }));
  await rig.drain();
  const other = await createRig(db.pool, log);
  log.append(0, said("c", { room: "x" }));
  await other.drain();
  expect(await written()).toBe(at);
});

test("a device has 32 labels at most, whoever gives them; those removed make room", async () => {
  const log = createScriptedLog("many", 1);
  const rig = await createRig(db.pool, log);
  const many = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`k${String(from + i).padStart(2, "0")}`, "v"]));
  log.append(0, said("d", { ...many(0, 31) }));
  await rig.drain();
  await write("d", { own: "1" });
  await expect(write("d", { another: "1" })).rejects.toThrow("full");
  log.append(0, said("d", { k40: "late" }));
  await rig.drain();
  expect((await labelsOf("d")).length).toBe(32);
  await write("d", { own: null });
  log.append(0, said("d", { k40: "late" }));
  await rig.drain();
  expect((await labelsOf("d")).at(-1)).toEqual(["k40", "late", "messages", "late"]);
});

test("labels that can't be kept are dead letters of their own, and cost nothing else", async () => {
  const log = createScriptedLog("bad", 1);
  const rig = await createRig(db.pool, log);
  log.append(0, said("e", { room: 7, floor: "2", ["x".repeat(65)]: "y" }));
  log.append(0, said("e", ["kitchen"]));
  await rig.drain();
  expect(await labelsOf("e")).toEqual([["floor", "2", "messages", "2"]]);
  const { rows } = await db.pool.query(
    `SELECT field, reason, detail FROM dead_letter WHERE device = 'e' ORDER BY "offset"`,
  );
  expect(rows).toEqual([
    { field: "labels", reason: "badLabel", detail: 'the label "room" is 7; it must be text' },
    { field: "labels", reason: "badLabel", detail: "labels is an array, not an object" },
  ]);
  const readings = await db.pool.query(`SELECT FROM reading WHERE device = 'e'`);
  expect(readings.rowCount).toBe(2);
});
