import { expect, it } from "vitest";
import { changeOf, type DeadLettersBench, eventOf, letterOf } from "./bench";

/** Sums over many letters. */
export function countingContract(bench: DeadLettersBench): void {
  it("counts by status, and what came of a job", async () => {
    const device = bench.newDevice();
    const stored = Array.from({ length: 6 }, (_, index) => letterOf(device, index));
    await bench.letters.store(stored);
    const job = `job of ${device}`;
    await bench.letters.change(
      stored.slice(0, 3).map((letter) => changeOf(letter, { to: "resending", sends: true, job })),
    );
    const settle = { from: ["resending"], resends: 1, to: "resent", event: eventOf("stored") } as const;
    await bench.letters.change([
      { ...settle, id: stored[0]!.id },
      { ...settle, id: stored[1]!.id, resentAs: "other" },
    ]);
    await bench.letters.change([changeOf(stored[5]!, { to: "discarded" })]);
    expect(await bench.letters.count({ sites: "all", device })).toMatchObject({
      open: 2,
      resending: 1,
      resent: 2,
      discarded: 1,
    });
    expect(await bench.letters.count({ sites: "all", job })).toEqual({
      open: 0,
      resending: 1,
      resent: 2,
      discarded: 0,
      refused: 1,
    });
    await bench.letters.change([changeOf(stored[4]!, { to: "discarded", job: `${job}, 2` })]);
    const byJob = await bench.letters.countByJob([job, `${job}, 2`, "none"]);
    expect(Object.fromEntries(byJob)).toEqual({
      [job]: await bench.letters.count({ sites: "all", job }),
      [`${job}, 2`]: { open: 0, resending: 0, resent: 0, discarded: 1, refused: 0 },
    });
    expect(
      await bench.letters.count({ sites: "all", device, status: "open", until: stored[3]!.ingestTime }),
    ).toMatchObject({
      open: 1,
    });
  });

  it("groups by reason, device and field, the largest first", async () => {
    const device = bench.newDevice();
    const hour = 3_600_000;
    const trendFrom = 1_700_000_000_000;
    const at = (index: number, ingestTime: number, over: object = {}) =>
      letterOf(device, index, { index, ingestTime, detail: `detail ${index}`, ...over });
    const drift = { reason: "typeDrift", field: "a\u0000" } as const;
    await bench.letters.store([
      at(0, trendFrom - 1, drift),
      at(1, trendFrom, drift),
      at(2, trendFrom + 2.5 * hour, drift),
      at(3, trendFrom + 2.6 * hour, drift),
      at(4, trendFrom + hour, { reason: "typeDrift", field: "b" }),
      at(5, trendFrom + hour),
      at(6, trendFrom + hour),
    ]);
    const first = (await bench.find({ device, ...drift, limit: 1 }))[0]!;
    await bench.letters.change([{ ...changeOf(first, { to: "resending" }), sends: true }]);
    await bench.letters.change([{ ...changeOf(first, { to: "open" }), from: ["resending"], resends: 1 }]);
    const query = { device, status: "open", trendFrom } as const;
    const { total, groups } = await bench.letters.groups({ sites: "all", ...query, limit: 2 });
    expect(total).toBe(3);
    expect(groups.map(({ trend, ...group }) => ({ ...group, trend: [...trend].sort(([a], [b]) => a - b) }))).toEqual([
      {
        ...{ device, reason: "typeDrift", field: "a\u0000", count: 4, resends: 1 },
        ...{ firstSeen: trendFrom - 1, lastSeen: trendFrom + 2.6 * hour, example: "detail 3" },
        ...{ source: null, mappingVersion: null },
        trend: [
          [0, 1],
          [2, 2],
        ],
      },
      {
        ...{ device, reason: "notJson", field: null, count: 2, resends: 0 },
        ...{ firstSeen: trendFrom + hour, lastSeen: trendFrom + hour, example: "detail 6", trend: [[1, 2]] },
        ...{ source: null, mappingVersion: null },
      },
    ]);
    expect(await bench.letters.groups({ sites: "all", ...query, status: "discarded", limit: 5 })).toEqual({
      total: 0,
      groups: [],
    });
    expect(
      (await bench.letters.groups({ sites: "all", ...query, reason: "notJson", field: null, limit: 5 })).total,
    ).toBe(1);
  });
}
