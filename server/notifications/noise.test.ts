import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addRule, changeRule } from "@/server/testing/alert-rig";
import { notifierRig } from "@/server/testing/notifier-rig";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { type Receiver, startReceiver } from "@/server/testing/receiver";

const bench = pipelineBench({ partitions: 1 });
const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-noise-"));
const S = 1000;
const HOUR = 3600;
let rig: ReturnType<typeof notifierRig>;
let receiver: Receiver;
beforeAll(() => {
  rig = notifierRig(bench.db, folder);
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await rig.empty();
  await receiver.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const titles = () => receiver.got.map(({ body }) => (JSON.parse(body) as { data: { title: string } }).data.title);

/** A series that is around 80 for an hour, ± 1, each second, and at 70 after it; told of as it comes. */
async function noise(rule: object, route: { readonly waitMs: number; readonly intervalMs: number }) {
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  await rig.route("all", [channel], route);
  await addRule(bench.pool, "hot", rule);
  const begun = Math.ceil(rig.clock.now / (60 * S)) * 60 * S;
  rig.clock.now = begun;
  const worker = await bench.rig();
  let state = 7;
  const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
  for (let second = 0; second < 2 * HOUR + 600;) {
    const end = second + (second < 600 ? 60 : 300);
    for (; second < end; second += second < HOUR ? 1 : 60) {
      const time = begun + second * S;
      const temperature = second < HOUR ? 79 + 2 * random() : 70;
      bench.log.append(0, { device: "press-07", time, readings: { temperature } }, time);
    }
    await worker.drain();
    await rig.pass(begun + end * S - rig.clock.now);
  }
}

describe("noise around a limit, once a second for an hour", () => {
  test.each([
    [0, 300],
    [30, 300],
  ])(
    "is three messages at most (wait %i s, interval %i s)",
    async (wait, interval) => {
      await noise(
        { kind: "condition", conditions: [{ metric: "temperature", is: "above", warning: 80 }] },
        { waitMs: wait * S, intervalMs: interval * S },
      );
      expect(titles().length).toBeLessThanOrEqual(3);
      expect(titles().at(-1)).toMatch(/^Resolved: hot/);
      expect((await bench.pool.query(`SELECT FROM alert WHERE ended_at IS NULL`)).rowCount).toBe(0);
    },
    60_000,
  );

  test("is two with a limit to be over", async () => {
    await noise(
      { kind: "condition", conditions: [{ metric: "temperature", is: "above", warning: 80, clear: 75 }] },
      { waitMs: 30 * S, intervalMs: 300 * S },
    );
    expect(titles()).toEqual(["Warning: hot, press-07", "Resolved: hot, press-07"]);
    expect((await bench.pool.query(`SELECT FROM alert`)).rowCount).toBe(1);
  }, 180_000);
});

test("a rule that is changed tells nobody of alerts that go on, and says of the others that they were closed, never that they are over", async () => {
  const channel = await rig.channel("desk", "webhook", { url: receiver.url });
  await rig.route("all", [channel], { groupBy: ["device"] });
  const above = (warning: number) => ({
    kind: "condition",
    conditions: [{ metric: "temperature", is: "above", warning }],
  });
  const rule = await addRule(bench.pool, "hot", above(80));
  const worker = await bench.rig();
  const send = async (second: number) => {
    for (let i = 0; i < 10; i++) {
      const time = rig.clock.now + second * S;
      bench.log.append(0, { device: `d${i}`, time, readings: { temperature: 85 } }, time);
    }
    await worker.drain();
    await rig.pass(S);
  };
  const ids = async () =>
    (await bench.pool.query<{ id: string }>(`SELECT id FROM alert WHERE state = 'firing' ORDER BY id`)).rows.map(
      ({ id }) => id,
    );
  await send(0);
  const before = await ids();
  expect([before.length, titles().length]).toEqual([10, 10]);
  await changeRule(bench.pool, rule, above(78));
  await send(1);
  expect(await ids()).toEqual(before);
  expect(titles()).toHaveLength(10);
  await changeRule(bench.pool, rule, above(95));
  await send(2);
  expect(await ids()).toEqual([]);
  expect(
    titles()
      .slice(10)
      .map((title) => title.split(":")[0]),
  ).toEqual(Array.from({ length: 10 }, () => "Closed"));
  const { rows } = await bench.pool.query(`SELECT count(*)::integer AS n FROM alert_event WHERE kind = 'resolved'`);
  expect(rows).toEqual([{ n: 0 }]);
});
