import { beforeEach, describe, expect, test } from "vitest";
import { settleLeft } from "./settlements";
import { markHeaders } from "@/server/domain/resend-mark";
import type { DeadLetterChange, KeptDeadLetter } from "@/server/ports/dead-letters";
import { pipelineBench } from "@/server/testing/pipeline-bench";
import { type Fault, InjectedFault, type Rig } from "@/server/testing/pipeline-rig";

const bench = pipelineBench({ partitions: 1 });
const NOW = Date.UTC(2026, 0, 15, 10);
let rig: Rig;
beforeEach(async () => {
  rig = await bench.rig();
});

const letters = () => rig.deadLetters.find({ sites: "all", limit: 100 });
const letter = async (id: string) => (await rig.deadLetters.find({ sites: "all", ids: [id], limit: 1 }))[0]!;
const readings = async () => (await bench.readings()).map(({ metric, value }) => [metric, value]);

/** Claims a letter, as whoever resends it does. */
async function claimed(one: KeptDeadLetter): Promise<KeptDeadLetter> {
  const event = { time: NOW, kind: "sent", detail: "Sent again", edited: false } as const;
  const change: DeadLetterChange = {
    id: one.id,
    from: ["open"],
    resends: one.resends,
    to: "resending",
    sends: true,
    event,
  };
  expect((await rig.deadLetters.change([change])).size).toBe(1);
  return letter(one.id);
}

/** Puts a claimed letter's message into the bench.log. */
function send(one: KeptDeadLetter, message: unknown = Buffer.from(one.raw), at = NOW): void {
  bench.log.append(0, message, at, markHeaders({ letter: one.id, attempt: one.resends, edited: false }));
}

/** A message an hour ahead of its ingest time: refused now, good an hour later. */
async function refusedMessage(): Promise<KeptDeadLetter> {
  bench.log.append(0, { device: "d", time: NOW, readings: { a: 1, b: 2 } }, NOW - 3_600_000);
  await rig.drain();
  return (await letters())[0]!;
}

describe("a dead letter sent again", () => {
  test("is neither a sign of life nor new trouble", async () => {
    bench.log.append(0, { device: "d", time: NOW - 7_200_000, readings: { a: 3 } }, NOW - 7_200_000);
    const one = await claimed(await refusedMessage());
    const heard = () =>
      bench.pool.query(`SELECT last_seen, last_event_time FROM device WHERE name = 'd'`).then(({ rows }) => rows[0]);
    const counted = () =>
      bench.pool.query(`SELECT sum(dead_letters)::int AS n FROM pipeline_rate`).then(({ rows }) => rows[0].n as number);
    const [before, letters] = [await heard(), await counted()];
    send(one, undefined, NOW - 3_500_000);
    await rig.drain();
    expect(await counted()).toBe(letters);
    expect(await heard()).toEqual(before);

    const again = await claimed((await rig.deadLetters.find({ sites: "all", limit: 1 }))[0]!);
    send(again);
    await rig.drain();
    expect(await heard()).toEqual({ last_seen: new Date(NOW - 7_200_000), last_event_time: new Date(NOW) });
  });

  test("that is good now is stored, and says so", async () => {
    const one = await claimed(await refusedMessage());
    send(one);
    await rig.drain();
    expect(await readings()).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    const after = await letter(one.id);
    expect(after).toMatchObject({ status: "resent", resends: 1, resentAs: null });
    expect(after.history.map(({ kind, detail }) => [kind, detail])).toEqual([
      ["sent", "Sent again"],
      ["stored", "2 readings stored, 0 repeats"],
    ]);
    expect(await letters()).toHaveLength(1);
  });

  test("twice in the log brings repeats only, and is settled once", async () => {
    const one = await claimed(await refusedMessage());
    send(one);
    send(one);
    await rig.drain();
    const after = await letter(one.id);
    send(one);
    await rig.drain();
    expect(await letter(one.id)).toEqual(after);
    expect(after.history.at(-1)!.detail).toBe("2 readings stored, 0 repeats");
    expect(await bench.totals()).toMatchObject({ readings: 2, duplicates: 4 });
  });

  test("that is refused again goes on as a new letter with its history", async () => {
    const first = await claimed(await refusedMessage());
    send(first, undefined, NOW - 3_500_000);
    await rig.drain();
    const [second, before] = await letters();
    expect(before).toMatchObject({ id: first.id, status: "resent", resentAs: second!.id });
    expect(second).toMatchObject({ status: "open", resendOf: first.id, resends: 1, reason: "futureTime" });
    expect(second!.history).toEqual(before!.history);
    expect(second!.history.map(({ kind }) => kind)).toEqual(["sent", "refused"]);

    const again = await claimed(second!);
    send(again);
    await rig.drain();
    expect(await letter(again.id)).toMatchObject({ status: "resent", resends: 2, resentAs: null });
    expect((await letter(again.id)).history.map(({ kind }) => kind)).toEqual(["sent", "refused", "sent", "stored"]);
    expect(await letters()).toHaveLength(2);
  });

  test("of one field adds that reading alone; what is refused of an edited one comes from it", async () => {
    bench.log.append(0, { device: "d", time: NOW, readings: { a: 1, b: [], c: 3 } }, NOW);
    await rig.drain();
    const one = await claimed((await letters())[0]!);
    expect(JSON.parse(Buffer.from(one.raw).toString())).toMatchObject({ device: "d", readings: { b: [] } });
    send(one, { device: "d", time: NOW, readings: { a: 9, b: 2, c: "x" } });
    await rig.drain();
    expect(await readings()).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    const [drift] = await letters();
    expect(drift).toMatchObject({ field: "c", reason: "typeDrift", resendOf: one.id, resends: 1 });
    expect(await letter(one.id)).toMatchObject({ status: "resent", resentAs: null });
    expect((await letter(one.id)).history.at(-1)).toMatchObject({
      kind: "stored",
      detail: "1 reading stored, 0 repeats, 1 conflict with another value, which stays, 1 field refused again",
    });
  });

  test.each<Fault>(["archive", "deadLetters", "beforeCommit", "afterCommit"])(
    "comes out the same when the worker fails: %s",
    async (fault) => {
      const good = await claimed(await refusedMessage());
      bench.log.append(0, { device: "e", time: NOW, readings: { a: 5 } }, NOW - 3_600_000);
      await rig.drain();
      const bad = await claimed((await rig.deadLetters.find({ sites: "all", device: "e", limit: 1 }))[0]!);
      send(good);
      send(bad, undefined, NOW - 3_500_000);
      rig.faults.next = fault;
      await expect(rig.drain()).rejects.toThrow(InjectedFault);
      // Letters are told nothing that isn't committed, and everything that is, whoever was killed.
      const isCommitted = fault === "afterCommit";
      expect((await letter(good.id)).status).toBe("resending");
      if (isCommitted) await settleLeft(bench.pool, rig.deadLetters);
      expect((await letter(good.id)).status).toBe(isCommitted ? "resent" : "resending");
      rig = await bench.rig();
      await rig.drain();
      const [new_] = await rig.deadLetters.find({ sites: "all", device: "e", limit: 1 });
      expect(new_).toMatchObject({ resendOf: bad.id, resends: 1, status: "open" });
      expect(new_!.history.map(({ kind }) => kind)).toEqual(["sent", "refused"]);
      expect(await letter(bad.id)).toMatchObject({ status: "resent", resentAs: new_!.id });
      expect((await letter(bad.id)).history).toHaveLength(2);
      expect(await letter(good.id)).toMatchObject({ status: "resent", resentAs: null });
      expect((await letter(good.id)).history).toHaveLength(2);
      expect(await letters()).toHaveLength(3);
      expect(await bench.totals()).toMatchObject({ readings: 2, duplicates: 0 });
      expect((await bench.pool.query("SELECT FROM resend_settlement")).rowCount).toBe(0);
    },
  );

  test("is settled when its message comes late: after it was reclaimed, and after it was given up", async () => {
    const one = await claimed(await refusedMessage());
    const event = { time: NOW, kind: "restored", detail: "", edited: false } as const;
    await rig.deadLetters.change([{ id: one.id, from: ["resending"], resends: 1, to: "open", event }]);
    await rig.deadLetters.change([{ id: one.id, from: ["open"], resends: 1, to: "discarded", event }]);
    send(one);
    await rig.drain();
    expect(await letter(one.id)).toMatchObject({ status: "resent", resends: 1 });
  });

  test("an earlier sending that comes late leaves a later one alone", async () => {
    const first = await claimed(await refusedMessage());
    const event = { time: NOW, kind: "restored", detail: "", edited: false } as const;
    await rig.deadLetters.change([{ id: first.id, from: ["resending"], resends: 1, to: "open", event }]);
    const second = await claimed(await letter(first.id));
    send(first);
    await rig.drain();
    expect(await letter(first.id)).toMatchObject({ status: "resending", resends: 2 });
    send(second);
    await rig.drain();
    expect(await letter(first.id)).toMatchObject({ status: "resent", resends: 2 });
    expect(await bench.totals()).toMatchObject({ readings: 2, duplicates: 2 });
  });

  test("of which nothing is left is handled as any message, and so is one that nobody sent", async () => {
    const open = await refusedMessage();
    const forged: [letter: string, attempt: number][] = [
      [`${bench.log.cluster}/iot.telemetry/0/0/77/m`, 3],
      [open.id, 1],
      [open.id, 1_000_000],
    ];
    for (const [letter, attempt] of forged)
      bench.log.append(
        0,
        { device: "d", time: NOW, readings: { a: [] } },
        NOW,
        markHeaders({ letter, attempt, edited: true }),
      );
    await rig.drain();
    const others = (await letters()).filter(({ id }) => id !== open.id);
    expect(others).toHaveLength(3);
    for (const one of others) expect(one).toMatchObject({ resendOf: null, resends: 0, status: "open", history: [] });
    expect(await letter(open.id)).toEqual(open);
  });
});
