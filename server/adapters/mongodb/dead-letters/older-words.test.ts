import { Binary } from "mongodb";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { DeadLetterChange, DeadLetters } from "@/server/ports/dead-letters";
import { describeWithMongo } from "@/server/testing/engines";
import { createMongoDeadLetters } from "../dead-letters";
import type { MongoConnection } from "../connection";
import { connectPrepared } from "../test-connection";

const T = Date.UTC(2026, 0, 15, 10);
const EVENT = { time: T, kind: "sent", detail: "Sent again", edited: false } as const;

/** A document as the version before the resends wrote it. */
function older(offset: number, over: object = {}) {
  return {
    ...{ _id: idOf(offset), log: "c/t/0", partition: 0, offset, reason: "futureTime", detail: "ahead" },
    ...{ device: "d", field: null, ingestTime: new Date(T + offset), processedTime: new Date(T + offset) },
    ...{ raw: new Binary(Buffer.from("{}")), status: "open", replayOf: null, replays: 0, history: [] },
    ...over,
  };
}
const idOf = (offset: number) => `c/t/0/0/${offset}/m`;
const sent = { replays: 1, history: [{ ...EVENT, time: new Date(T) }], changedAt: new Date(T), job: "job-1" };

describeWithMongo("dead letters that another version wrote to MongoDB", (uri) => {
  let mongo: MongoConnection;
  let letters: DeadLetters;
  beforeAll(async () => {
    mongo = await connectPrepared(uri);
    letters = createMongoDeadLetters(mongo.db, { devices: async () => [], sources: async () => [] });
  });
  afterAll(() => mongo.close());

  const documents = () => mongo.db.collection<{ _id: string }>("deadLetters");
  const all = async () => (await letters.find({ sites: "all", limit: 100 })).toReversed();
  const one = async (offset: number) => (await letters.find({ sites: "all", ids: [idOf(offset)], limit: 1 }))[0]!;
  const change = (over: Omit<DeadLetterChange, "event">) => letters.change([{ event: EVENT, ...over }]);
  beforeEach(async () => {
    await documents().deleteMany({});
    const { status: _, replayOf: __, replays: ___, history: ____, ...oldest } = older(0);
    await documents().insertMany([
      oldest,
      older(1),
      older(2, { ...sent, status: "replaying" }),
      older(3, { ...sent, status: "replayed" }),
      older(4, { ...sent, status: "replayed", replayedAs: idOf(5) }),
      older(5, { ...sent, status: "open", replayOf: idOf(4), job: undefined }),
      older(6, { status: "discarded" }),
    ]);
  });

  it("are what they were", async () => {
    expect(
      (await all()).map(({ status, resends, resendOf, resentAs }) => [status, resends, resendOf, resentAs]),
    ).toEqual([
      ["open", 0, null, null],
      ["open", 0, null, null],
      ["resending", 1, null, null],
      ["resent", 1, null, null],
      ["resent", 1, null, idOf(5)],
      ["open", 1, idOf(4), null],
      ["discarded", 0, null, null],
    ]);
    expect((await one(5)).history).toEqual([EVENT]);
  });

  it("are found, counted and grouped like others", async () => {
    const idsOf = async (status: "open" | "resending" | "resent") =>
      (await letters.find({ sites: "all", status, limit: 100 })).map(({ position }) => position.offset);
    expect([await idsOf("open"), await idsOf("resending"), await idsOf("resent")]).toEqual([[5, 1, 0], [2], [4, 3]]);
    const counts = { open: 3, resending: 1, resent: 2, discarded: 1 };
    expect(await letters.count({ sites: "all" })).toMatchObject(counts);
    const ofJob = { open: 0, resending: 1, resent: 2, discarded: 0, refused: 1 };
    expect(await letters.count({ sites: "all", job: "job-1" })).toEqual(ofJob);
    expect(await letters.countByJob(["job-1"])).toEqual(new Map([["job-1", ofJob]]));
    const query = { sites: "all" as const, limit: 10, trendFrom: T };
    expect((await letters.groups(query)).groups).toMatchObject([{ count: 7, resends: 4 }]);
    expect((await letters.groups({ ...query, status: "resent" })).groups).toMatchObject([{ count: 2, resends: 2 }]);
  });

  it("go on from where they were, in today's words", async () => {
    expect((await change({ id: idOf(2), from: ["resending"], resends: 0, to: "resent" })).size).toBe(0);
    expect((await change({ id: idOf(2), from: ["resending"], resends: 2, to: "resent" })).size).toBe(0);
    expect((await change({ id: idOf(2), from: ["resending"], resends: 1, to: "resent", resentAs: "x" })).size).toBe(1);
    expect(await one(2)).toMatchObject({ status: "resent", resends: 1, resentAs: "x", history: [EVENT, EVENT] });
    for (const offset of [0, 1, 5]) {
      const { resends } = await one(offset);
      const claim = { id: idOf(offset), from: ["open"], resends, to: "resending", sends: true } as const;
      expect((await change({ ...claim, resends: resends + 1 })).size).toBe(0);
      expect((await change(claim)).size).toBe(1);
      expect((await change(claim)).size).toBe(0);
      expect(await one(offset)).toMatchObject({ status: "resending", resends: resends + 1 });
    }
    expect((await one(5)).resendOf).toBe(idOf(4));
    expect(await documents().countDocuments({ status: { $in: ["resending", "resent"] } })).toBe(4);
    expect(await letters.groups({ sites: "all", limit: 10, trendFrom: T })).toMatchObject({ groups: [{ resends: 7 }] });
  });

  it("stay while they are on their way, whoever sent them", async () => {
    expect(await letters.removeBefore(T + 10, 100)).toBe(6);
    expect((await all()).map(({ position }) => position.offset)).toEqual([2]);
  });

  it("may be claimed and settled by a process of that version meanwhile", async () => {
    await documents().deleteMany({});
    const position = { log: "c/t/0", partition: 0, offset: 1 };
    const times = { ingestTime: T, processedTime: T, raw: Buffer.from("{}"), history: [] };
    const whole = { id: idOf(1), position, reason: "futureTime", detail: "", device: "d", field: null } as const;
    await letters.store([
      { ...whole, ...times, senderSite: null, source: null, delivery: null, resendOf: null, resends: 0 },
    ]);
    // As that version does: it finds what has no `replays` as one that was never sent.
    const claimed = await documents().updateOne(
      { _id: idOf(1), status: { $in: ["open", null] }, replays: { $in: [0, null] } } as object,
      { $set: { status: "replaying", replays: 1 } },
    );
    expect(claimed.modifiedCount).toBe(1);
    expect(await one(1)).toMatchObject({ status: "resending", resends: 1 });
    expect((await change({ id: idOf(1), from: ["resending"], resends: 0, to: "resent" })).size).toBe(0);
    expect((await change({ id: idOf(1), from: ["resending"], resends: 1, to: "open" })).size).toBe(1);
    expect((await change({ id: idOf(1), from: ["open"], resends: 1, to: "resending", sends: true })).size).toBe(1);
    await documents().updateOne({ _id: idOf(1) }, { $set: { status: "replayed", replays: 1, replayedAs: "x" } });
    expect(await one(1)).toMatchObject({ status: "resent", resends: 2, resentAs: "x" });
  });
});
