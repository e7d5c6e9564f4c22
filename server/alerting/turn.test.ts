import { describe, expect, test } from "vitest";
import { readBlocks } from "@/server/readings/blocks";
import { addRule, alertsOf, changeRule, eventsOf } from "@/server/testing/alert-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { withTransaction } from "@/server/postgres/transaction";
import { closeGone } from "./close-gone";
import { recheckLate } from "./recheck";
import { findSilent } from "./silence";
import { decideDue, seedRules } from "./turn";

const bench = pipelineBench({ partitions: 2 });
const T = Date.UTC(2026, 0, 15, 10);
const S = 1000;
const MIN = 60 * S;

const deps = () => ({ pool: bench.pool, readBlocks, staleMs: 600 * S });
const events = () => eventsOf(bench.pool, T);
const alerts = () => alertsOf(bench.pool, T);
const above = (warning: number, more: object = {}) => ({
  kind: "condition",
  conditions: [{ metric: "temperature", is: "above", warning }],
  holds: 15 * MIN,
  ...more,
});

function append(device: string, readings: readonly (readonly [second: number, value: number])[], partition = 0) {
  for (const [second, value] of readings)
    bench.log.append(partition, { device, time: T + second * S, readings: { temperature: value } }, T + second * S);
}
const from = (start: number, end: number, value: number, every = 60) =>
  Array.from({ length: Math.floor((end - start) / every) + 1 }, (_, i) => [start + i * every, value] as const);

describe("what time alone decides", () => {
  test("fires when it has lasted long enough without another reading, by the device's own time, and only as far as all was handled", async () => {
    await addRule(bench.pool, "hot", above(80, { forMs: 5 * MIN, keepMs: 2 * MIN }));
    append("d", from(0, 240, 81));
    await (await bench.rig()).drain();
    expect(await events()).toEqual([]);
    await decideDue(deps(), T + 300 * S);
    expect(await events(), "readings that are on their way are waited for").toEqual([]);
    await decideDue(deps(), T + 303 * S);
    expect(await events()).toEqual(["fired 300"]);
    append("d", from(360, 360, 70));
    await (await bench.rig()).drain();
    await decideDue(deps(), T + 480 * S);
    await decideDue(deps(), T + 490 * S);
    await decideDue(deps(), T + 500 * S);
    expect(await events()).toEqual(["fired 300", "resolved 360"]);
    expect(await alerts()).toMatchObject([{ started: 0, fired: 300, ended: 360, state: "resolved" }]);
  });

  test("25 of 30 minutes, a restart, and it fires at 30, not at 55", async () => {
    await addRule(bench.pool, "hot", above(80, { forMs: 30 * MIN }));
    append("d", from(0, 25 * 60, 81));
    await (await bench.rig()).drain(3);
    append("d", from(26 * 60, 40 * 60, 81));
    await (await bench.rig()).drain(3);
    expect(await events()).toEqual(["fired 1800"]);
    expect(await alerts()).toMatchObject([{ started: 0, fired: 1800, ended: null, state: "firing" }]);
  });

  test("no data is marked, and resolves nothing", async () => {
    await addRule(bench.pool, "hot", above(80, { holds: 60 * S }));
    append("d", from(0, 120, 81));
    await (await bench.rig()).drain();
    await decideDue(deps(), T + 1000 * S);
    await decideDue(deps(), T + 1100 * S);
    expect(await events()).toEqual(["fired 0", "stale 180"]);
    expect(await alerts()).toMatchObject([{ state: "firing", ended: null, noData: 120 }]);
  });
});

describe("a changed rule", () => {
  const hot = ["a", "b", "c"];

  async function firing() {
    const rule = await addRule(bench.pool, "hot", above(80));
    for (const device of hot) append(device, from(0, 600, 85));
    const rig = await bench.rig();
    await rig.drain();
    expect(await events()).toEqual(hot.map(() => "fired 0"));
    return { rule, rig, ids: (await alerts()).map(({ id }) => id) };
  }

  test("keeps alerts that are still ones, their ids too", async () => {
    const { rule, rig, ids } = await firing();
    await changeRule(bench.pool, rule, above(78));
    while (await seedRules(deps()));
    append("a", from(660, 660, 85));
    await rig.drain();
    expect((await alerts()).map(({ id, state }) => [id, state])).toEqual(ids.map((id) => [id, "firing"]));
    expect((await events()).slice(3)).toEqual(hot.map(() => "rule-changed 600"));
  });

  test.each(["the readings that come", "the rule's own turn"])(
    "closes the others, and resolves none, seen by %s",
    async (by) => {
      const { rule, rig } = await firing();
      await changeRule(bench.pool, rule, above(95));
      if (by === "the rule's own turn") while (await seedRules(deps()));
      for (const device of hot) append(device, from(660, 660, 85));
      await rig.drain();
      while (await seedRules(deps()));
      expect((await alerts()).map(({ state, reason }) => [state, reason])).toEqual(
        hot.map(() => ["closed", "rule changed"]),
      );
      expect((await events()).filter((event) => event.startsWith("resolved"))).toEqual([]);
    },
  );

  test("that is off or removed closes its alerts, as does a device that is removed", async () => {
    const { rule } = await firing();
    await bench.pool.query(`DELETE FROM device WHERE name = 'a'`);
    while (await closeGone(deps()));
    await bench.pool.query(`UPDATE alert_rule SET enabled = false, version = version + 1 WHERE id = $1`, [rule]);
    while (await closeGone(deps()));
    expect((await alerts()).map(({ device, state, reason }) => [device, state, reason])).toEqual([
      ["a", "closed", "device removed"],
      ["b", "closed", "rule off"],
      ["c", "closed", "rule off"],
    ]);
    expect((await bench.pool.query(`SELECT FROM alert_state`)).rowCount).toBe(0);
  });

  test("a new one knows at once what is true already, and tells nothing of what was over", async () => {
    append("a", [[0, 90], [60, 70], ...from(120, 600, 85)]);
    append("b", from(0, 600, 70));
    const rig = await bench.rig();
    await rig.drain();
    await addRule(bench.pool, "hot", above(80, { forMs: 60 * S }), { seeded: 0 });
    while (await seedRules(deps()));
    expect(await alerts()).toMatchObject([{ device: "a", started: 120, fired: 180, state: "firing" }]);
    append("a", from(660, 660, 70));
    await rig.drain();
    expect(await events()).toEqual(["fired 180", "resolved 660"]);
  });

  test("a device that isn't selected any more closes its alert", async () => {
    await bench.pool.query(`INSERT INTO site (name) VALUES ('north')`);
    await addRule(bench.pool, "hot", above(80, { of: { sites: ["north"] } }));
    append("a", from(0, 0, 85));
    const rig = await bench.rig();
    await rig.drain();
    await bench.pool.query(`UPDATE device SET site_id = (SELECT id FROM site)`);
    append("a", from(60, 60, 85));
    await rig.drain();
    expect(await events()).toEqual(["fired 60"]);
    await bench.pool.query(`UPDATE device SET site_id = NULL`);
    append("a", from(120, 120, 85));
    await rig.drain();
    expect(await alerts()).toMatchObject([{ state: "closed", reason: "not selected any more" }]);
  });
});

describe("late readings", () => {
  test("unmake nothing; what they would have made is added, and marked late", async () => {
    await addRule(bench.pool, "hot", above(80, { forMs: 60 * S }));
    append("d", from(0, 600, 70));
    const rig = await bench.rig();
    await rig.drain();
    append("d", [
      [90, 85],
      [150, 85],
      [210, 85],
    ]);
    await rig.drain();
    expect(await events()).toEqual([]);
    while (await recheckLate(deps(), 0));
    // 120 and 180 are 70: each lasted 30 seconds.
    expect(await events()).toEqual([]);
    append("d", [
      [301, 85],
      [310, 85],
      [330, 85],
      [359, 85],
    ]);
    await rig.drain();
    await bench.pool.query(`UPDATE alert_rule SET spec = jsonb_set(spec, '{forMs}', '30000')`);
    while (await recheckLate(deps(), 0));
    expect(await alerts()).toMatchObject([{ started: 301, fired: 331, ended: 360, state: "resolved", late: true }]);
    expect(await events()).toEqual(["fired 331", "resolved 360"]);
    append("d", [[302, 85]]);
    await rig.drain();
    while (await recheckLate(deps(), 0));
    expect(await alerts()).toHaveLength(1);
  });

  test("an alert that would not have been one gets a note", async () => {
    await addRule(bench.pool, "hot", above(80, { forMs: 120 * S }));
    append("d", from(0, 240, 85));
    const rig = await bench.rig();
    await rig.drain();
    append("d", [
      [30, 10],
      [90, 10],
      [150, 10],
      [210, 10],
      [270, 10],
    ]);
    await rig.drain();
    while (await recheckLate(deps(), 0));
    expect(await events()).toEqual(["fired 120", "resolved 270", "note 120"]);
  });
});

describe("silence", () => {
  const silence = (afterMs: number | null) => ({ kind: "silence", afterMs, severity: "critical" });

  test("fires once its deadline is behind what was handled, and is over with the next message", async () => {
    await addRule(bench.pool, "silent", silence(60 * S));
    append("d", from(0, 300, 1, 10));
    append("e", from(0, 340, 1, 10));
    const rig = await bench.rig();
    await rig.drain();
    await findSilent(deps(), T + 359 * S);
    expect(await events()).toEqual([]);
    await findSilent(deps(), T + 360 * S);
    await findSilent(deps(), T + 365 * S);
    expect(await events()).toEqual(["fired 360"]);
    append("d", from(420, 420, 1));
    await rig.drain();
    expect(await events()).toEqual(["fired 360", "resolved 420"]);
    expect(await alerts()).toMatchObject([{ device: "d", severity: "critical", started: 300, fired: 360, ended: 420 }]);
    // It has been silent within the hour, which is remembered; that alone is no silence.
    append("d", from(430, 440, 1, 10));
    await rig.drain();
    await decideDue(deps(), T + 450 * S);
    expect(await events()).toEqual(["fired 360", "resolved 420"]);
    append("d", [...from(450, 4050, 1, 50)]);
    await rig.drain();
    expect((await bench.pool.query(`SELECT FROM alert_state`)).rowCount).toBe(0);
  });

  test("is told at once of a device that said goodbye, until it is heard again", async () => {
    await addRule(bench.pool, "silent", silence(null));
    append("d", from(0, 300, 1, 10));
    bench.log.append(0, { device: "d", time: T + 305 * S, gone: true }, T + 305 * S);
    const rig = await bench.rig();
    await rig.drain();
    await findSilent(deps(), T + 305 * S);
    await findSilent(deps(), T + 1000 * S);
    expect(await events()).toEqual(["fired 305"]);
    append("d", from(310, 310, 1));
    await rig.drain();
    await findSilent(deps(), T + 311 * S);
    expect(await events()).toEqual(["fired 305", "resolved 310"]);
    expect(await alerts()).toMatchObject([{ started: 305, fired: 305, ended: 310 }]);
  });

  test("that its type's age makes usual is closed with that reason, and told once it is too long again", async () => {
    await addRule(bench.pool, "silent", silence(null));
    append("d", from(0, 300, 1, 10));
    append("e", from(0, 300, 1, 10));
    const rig = await bench.rig();
    await rig.drain();
    // As setStaleAfter writes it.
    const staleAt = (device: string, seconds: number) =>
      bench.pool.query(`UPDATE device SET stale_seconds = $2 WHERE name = $1`, [device, seconds]);
    await staleAt("d", 3);
    await staleAt("e", 3);
    await findSilent(deps(), T + 340 * S);
    expect(await events()).toEqual(["fired 330", "fired 330"]);
    await staleAt("d", 10);
    // Less than is ever unusual: nothing changes.
    await staleAt("e", 2);
    await findSilent(deps(), T + 350 * S);
    await findSilent(deps(), T + 360 * S);
    expect(await events()).toEqual(["fired 330", "fired 330", "closed 350"]);
    expect(await alerts()).toMatchObject([
      { device: "d", state: "closed", ended: 350 },
      { device: "e", ended: null },
    ]);
    await findSilent(deps(), T + 400 * S);
    expect(await events()).toEqual(["fired 330", "fired 330", "closed 350", "fired 400"]);
    append("d", [[410, 1]]);
    await rig.drain();
    expect((await events()).at(-1)).toBe("resolved 410");
  });

  test("that a rule gives a time to isn't cut short by a goodbye", async () => {
    await addRule(bench.pool, "silent", silence(60 * S));
    append("d", from(0, 300, 1, 10));
    bench.log.append(0, { device: "d", time: T + 305 * S, gone: true }, T + 305 * S);
    await (await bench.rig()).drain();
    await findSilent(deps(), T + 359 * S);
    expect(await events()).toEqual([]);
    await findSilent(deps(), T + 360 * S);
    expect(await events()).toEqual(["fired 360"]);
  });

  test("is learned for each device, and counts only while messages were taken", async () => {
    await addRule(bench.pool, "silent", silence(null));
    append("quick", from(0, 600, 1, 10));
    append("slow", from(-6000, 6000, 1, 300));
    await (await bench.rig()).drain(7);
    await bench.pool.query(`UPDATE device SET last_seen = to_timestamp($1)`, [T / S + 6000]);
    await bench.pool.query(
      `INSERT INTO telemetry_open VALUES ('web', to_timestamp($1), to_timestamp($2)), ('web', to_timestamp($3), to_timestamp($4))`,
      [T / S, T / S + 6000, T / S + 6300, T / S + 9000],
    );
    await findSilent(deps(), T + 6324 * S);
    expect(await events(), "messages were refused for 295 s").toEqual([]);
    await findSilent(deps(), T + 6330 * S);
    expect(await events()).toEqual(["fired 6325"]);
    await findSilent(deps(), T + 7100 * S);
    expect(await events()).toEqual(["fired 6325"]);
    await findSilent(deps(), T + 7300 * S);
    expect(await events()).toEqual(["fired 6325", "fired 7195"]);
  });
});

test("a turn waits for no other", async () => {
  await withTransaction(bench.pool, async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('fieldwatch.alert-turn', 0))`);
    expect(await seedRules(deps())).toBe(false);
  });
});
