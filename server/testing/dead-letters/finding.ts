import { expect, it } from "vitest";
import type { KeptDeadLetter } from "@/server/ports/dead-letters";
import { changeOf, type DeadLettersBench, kept, letterOf } from "./bench";

/** Letters are found by what they are, the newest first. */
export function findingContract(bench: DeadLettersBench): void {
  it("finds by reason and device", async () => {
    const [device, other] = [bench.newDevice(), `${bench.newDevice()}\u0000\ud800`];
    const stored = [
      letterOf(device, 0, { reason: "badTime" }),
      letterOf(device, 1, { reason: "badName" }),
      letterOf(other, 2, { reason: "badTime" }),
    ];
    await bench.letters.store(stored);
    expect(await bench.find({ device, limit: 10 })).toEqual([kept(stored[1]!), kept(stored[0]!)]);
    expect(await bench.find({ device, reason: "badTime", limit: 10 })).toEqual([kept(stored[0]!)]);
    expect(await bench.find({ device: other, limit: 10 })).toEqual([kept(stored[2]!)]);
    expect(await bench.find({ device, reason: "tooDeep", limit: 10 })).toEqual([]);
  });

  it("finds newest first, page by page, without repeating or leaving out", async () => {
    const device = bench.newDevice();
    const stored = Array.from({ length: 43 }, (_, index) =>
      letterOf(device, index, { ingestTime: 1_700_000_000_000 + Math.floor(index / 15), index }),
    );
    await bench.letters.store(stored);
    const expected = [...stored].sort((a, b) => b.ingestTime - a.ingestTime || (a.id < b.id ? 1 : -1));
    const found: KeptDeadLetter[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await bench.find({
        device,
        limit: 10,
        ...(last && { after: { ingestTime: last.ingestTime, id: last.id } }),
      });
      if (page.length === 0) break;
      found.push(...page);
    }
    expect(found).toEqual(expected.map(kept));
  });

  it("finds, counts and groups those of devices at some sites alone, as they are now", async () => {
    const [a, b, moved, unplaced] = [bench.newDevice(), bench.newDevice(), bench.newDevice(), bench.newDevice()];
    const stored = [a, b, moved, unplaced, null].map((device, index) =>
      letterOf(device, 900 + index, { reason: "tooDeep", field: "sited" }),
    );
    await bench.letters.store(stored);
    await bench.place(1, [a, moved]);
    await bench.place(2, [b]);
    const told = async (...sites: number[]) => {
      const asked = { sites, reason: "tooDeep", field: "sited" } as const;
      const { total, groups } = await bench.letters.groups({ ...asked, limit: 10, trendFrom: 0 });
      const found = (await bench.find({ ...asked, limit: 10 })).map(({ device }) => device);
      const { open } = await bench.letters.count(asked);
      expect([groups.map(({ device }) => device).sort(), total, open]).toEqual([
        [...found].sort(),
        found.length,
        found.length,
      ]);
      return found;
    };
    expect(await told(1)).toEqual([moved, a]);
    expect(await told(2)).toEqual([b]);
    expect(await told(1, 2)).toEqual([moved, b, a]);
    expect(await told(3)).toEqual([]);
    expect(await told()).toEqual([]);
    await bench.place(2, [moved]);
    expect(await told(1)).toEqual([a]);
    expect(await told(2)).toEqual([moved, b]);
    const ids = [stored[0]!.id, stored[1]!.id];
    expect(await bench.find({ sites: [1], ids, limit: 10 })).toEqual([kept(stored[0]!)]);
    expect(await bench.find({ sites: [1], device: b, limit: 10 })).toEqual([]);
    expect(await bench.find({ sites: [1], device: null, limit: 10 })).toEqual([]);
  });

  it("finds, counts and groups by source, and keeps what came beside a delivery as it was", async () => {
    const device = bench.newDevice();
    const source = `of-${device}`;
    const refusals = [{ path: "a\u0000.$b", reason: "badValue", detail: "\ud800" }] as const;
    const beside = {
      ...{ contentType: null, topic: "a/$b", retained: false, path: ["x"], query: { "a.b": "1", $c: "\u0000" } },
      ...{ headers: {}, kafka: null },
    };
    const delivery = { ...{ source, version: 3, arrived: 5, beside, refusals, refused: 7 } };
    const whole = letterOf(null, 870, { reason: "notMapped", source, delivery });
    const field = letterOf(device, 871, { field: "a", index: 0, source });
    await bench.letters.store([whole, field, letterOf(device, 872)]);
    expect(await bench.find({ source, limit: 10 })).toEqual([kept(field), kept(whole)]);
    expect(await bench.find({ source, reason: "notMapped", limit: 10 })).toEqual([kept(whole)]);
    expect(await bench.letters.count({ sites: "all", source, status: "open" })).toMatchObject({ open: 2 });
    const groups = await bench.letters.groups({ sites: "all", source, limit: 10, trendFrom: 0 });
    expect(groups.total).toBe(2);
    expect(groups.groups.map((group) => [group.reason, group.source, group.mappingVersion]).sort()).toEqual([
      ["notJson", source, null],
      ["notMapped", source, 3],
    ]);
    await bench.place(5, [], [source]);
    expect(await bench.find({ sites: [5], source, limit: 10 })).toEqual([kept(whole)]);
    expect(await bench.find({ sites: [6], source, limit: 10 })).toEqual([]);
  });

  it("finds by field, by id, by status, by time", async () => {
    const device = bench.newDevice();
    const whole = letterOf(device, 0);
    const a = letterOf(device, 1, { field: "a", index: 0 });
    const b = letterOf(device, 1, { field: "b\u0000\ud800", index: 1 });
    await bench.letters.store([whole, a, b]);
    const ids = async (query: object) => (await bench.find({ device, limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({ field: null })).toEqual([whole.id]);
    expect(await ids({ field: "b\u0000\ud800" })).toEqual([b.id]);
    expect(await ids({ ids: [whole.id, "none"] })).toEqual([whole.id]);
    expect(await ids({ ids: [] })).toEqual([]);
    expect(await ids({ until: whole.ingestTime })).toEqual([whole.id]);
    await bench.letters.change([changeOf(a, { to: "discarded" })]);
    expect(await ids({ status: "open" })).toEqual([b.id, whole.id]);
    expect(await ids({ status: "discarded" })).toEqual([a.id]);
    expect(await ids({ status: "open", after: { ingestTime: b.ingestTime, id: b.id } })).toEqual([whole.id]);
  });
}
