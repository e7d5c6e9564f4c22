import { afterAll, beforeAll, expect, test } from "vitest";
import { PROBE_HEADER, type ProbeHandled } from "@/server/domain/probe-message";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { createRig, createScriptedLog } from "@/server/testing/pipeline-rig";
import { until } from "@/server/testing/until";
import { createFollow } from "./follow";

let db: TestDatabase;
beforeAll(async () => {
  db = await freshDatabase();
});
afterAll(() => db.drop());

const message = (readings: object = { a: 1 }) => ({ device: "d", time: new Date().toISOString(), readings });

async function rigOf(cluster: string) {
  const notes: { id: string; handled: ProbeHandled }[] = [];
  const log = createScriptedLog(cluster, 1);
  const follow = createFollow({
    worker: "w",
    note: async (id, handled) => void notes.push({ id, handled }),
    onError: () => {},
  });
  return { log, notes, rig: await createRig(db.pool, log, {}, follow) };
}

test("a followed message is told with the ends of its stages; the others of its batch cost nothing", async () => {
  const { log, notes, rig } = await rigOf("probe-1");
  log.append(0, message());
  log.append(0, message({ b: 2 }), Date.now(), { [PROBE_HEADER]: "t1" });
  await rig.drain();
  await until(() => notes.length === 2, { what: "both notes" });
  expect(notes.every(({ id }) => id === "t1")).toBe(true);
  const { ends, ...rest } = notes[1]!.handled;
  expect(rest).toMatchObject({ worker: "w", partition: 0, offset: 1, failing: null, refused: false, frameLost: false });
  expect(Object.keys(ends)).toEqual(["decode", "enrich", "documents", "readings", "published"]);
  const moments = Object.values(ends);
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect(moments[0]).toBeGreaterThanOrEqual(rest.takenAt);
});

test("a batch without one is not looked at further", async () => {
  const { log, notes, rig } = await rigOf("probe-2");
  log.append(0, message());
  await rig.drain();
  expect(notes).toEqual([]);
});

test("a stage that fails is told with its error, and the way goes on when it works again", async () => {
  const { log, notes, rig } = await rigOf("probe-3");
  log.append(0, message(), Date.now(), { [PROBE_HEADER]: "t3" });
  rig.faults.next = "archive";
  await expect(rig.drain()).rejects.toThrow();
  await until(() => notes.length === 1, { what: "the failure" });
  expect(notes[0]!.handled.failing).toEqual({ stage: "documents", error: "archive" });
  expect(Object.keys(notes[0]!.handled.ends)).toEqual(["decode", "enrich"]);
  await rig.drain();
  await until(() => notes.length === 3, { what: "the rest of the way" });
  expect(notes[2]!.handled).toMatchObject({ failing: null });
});

test("one that becomes a dead letter is told as refused", async () => {
  const { log, notes, rig } = await rigOf("probe-4");
  log.append(0, "no message at all", Date.now(), { [PROBE_HEADER]: "t4" });
  await rig.drain();
  await until(() => notes.length > 0, { what: "the note" });
  expect(notes[0]!.handled.refused).toBe(true);
});
