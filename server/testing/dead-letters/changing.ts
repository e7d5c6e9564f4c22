import { expect, it } from "vitest";
import { type DeadLetter, MOST_EVENTS } from "@/server/ports/dead-letters";
import { changeOf, type DeadLettersBench, eventOf, kept, letterOf } from "./bench";

/** Defines the tests of changes to a letter: one at a time, each told in its history. */
export function changingContract(bench: DeadLettersBench): void {
  it("moves a letter only from what the change says, and keeps its history", async () => {
    const letter = letterOf(bench.newDevice(), 0);
    await bench.letters.store([letter]);
    const sent = eventOf("sent", { detail: "\u0000 half \ud800 \\ 🌡", edited: true });
    const claim = changeOf(letter, { to: "resending", event: sent, sends: true, job: "job-1" });
    expect(await bench.letters.change([claim])).toEqual(new Set([letter.id]));
    expect(await bench.letters.change([claim])).toEqual(new Set());
    expect(await bench.letters.change([{ ...claim, from: ["resending"] }]), "another sending since").toEqual(new Set());
    expect(await bench.letters.change([{ ...claim, id: "none" }])).toEqual(new Set());
    expect(await bench.one(letter.id)).toEqual({
      ...letter,
      status: "resending",
      resends: 1,
      resentAs: null,
      changedAt: sent.time,
      history: [sent],
    });
    const refused = eventOf("refused", { time: sent.time + 5 });
    const settle = {
      id: letter.id,
      from: ["open", "resending"],
      resends: 1,
      to: "resent",
      event: refused,
    } as const;
    expect(await bench.letters.change([{ ...settle, resentAs: "other" }])).toEqual(new Set([letter.id]));
    expect(await bench.one(letter.id)).toMatchObject({
      status: "resent",
      resends: 1,
      resentAs: "other",
      changedAt: refused.time,
      history: [sent, refused],
    });
    expect(await bench.letters.change([])).toEqual(new Set());
  });

  it("lets one of many at the same letters succeed, each letter for itself", async () => {
    const device = bench.newDevice();
    const stored = Array.from({ length: 60 }, (_, index) => letterOf(device, index));
    await bench.letters.store(stored);
    const claims = (some: readonly DeadLetter[]) =>
      bench.letters.change(some.map((letter) => changeOf(letter, { to: "resending", sends: true })));
    const moved = await Promise.all([claims(stored), claims(stored.slice(20)), claims(stored), claims(stored)]);
    expect(moved.flatMap((ids) => [...ids]).sort()).toEqual(stored.map(({ id }) => id).sort());
    expect(await bench.letters.count({ sites: "all", device })).toEqual({
      open: 0,
      resending: 60,
      resent: 0,
      discarded: 0,
      refused: 0,
    });
    expect(
      (await bench.find({ device, limit: 100 })).every(({ resends, history }) => resends + history.length === 2),
    ).toBe(true);
  });

  it("stays as it is when the worker stores it once more", async () => {
    const letter = letterOf(bench.newDevice(), 0);
    await bench.letters.store([letter]);
    await bench.letters.change([changeOf(letter, { to: "discarded" })]);
    const before = await bench.one(letter.id);
    await bench.letters.store([letter]);
    expect(await bench.one(letter.id)).toEqual(before);
    expect(before.status).toBe("discarded");
  });

  it("keeps where a letter comes from, and the newest of a long history", async () => {
    const history = Array.from({ length: MOST_EVENTS }, (_, i) => eventOf("sent", { time: 1000 + i }));
    const letter = { ...letterOf(bench.newDevice(), 0), resendOf: "before", resends: 7, history };
    await bench.letters.store([letter]);
    expect(await bench.one(letter.id)).toEqual(kept(letter));
    const event = eventOf("discarded");
    await bench.letters.change([{ ...changeOf(letter, { to: "discarded", event }), resends: 7 }]);
    expect((await bench.one(letter.id)).history).toEqual([...history.slice(1), event]);
  });
}
