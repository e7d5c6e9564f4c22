import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follow, type Followed } from "./sequence";

describe("follow", () => {
  it("takes the next number and refuses repeats and older ones", () => {
    expect(follow({ life: "a", seq: 4 }, { life: "a", seq: 5 })).toEqual({
      followed: { life: "a", seq: 5 },
      news: true,
      missed: false,
    });
    expect(follow({ life: "a", seq: 5 }, { life: "a", seq: 5 }).news).toBe(false);
    expect(follow({ life: "a", seq: 5 }, { life: "a", seq: 3 }).followed.seq).toBe(5);
  });

  it("sees a gap and another life", () => {
    expect(follow({ life: "a", seq: 5 }, { life: "a", seq: 7 }).missed).toBe(true);
    expect(follow({ life: "a", seq: 5 }, { life: "b", seq: 1 })).toEqual({
      followed: { life: "b", seq: 1 },
      news: true,
      missed: true,
    });
  });

  it("says missed exactly when a number between the first and the last never came in order", () => {
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 1 }), (seqs) => {
        let followed: Followed | null = null;
        let missed = false;
        for (const seq of seqs) {
          const step = follow(followed, { life: "s", seq });
          followed = step.followed;
          missed ||= step.missed;
        }
        const first = seqs[0] ?? 0;
        const last = seqs.at(-1) ?? 0;
        expect(missed).toBe(seqs.length !== last - first + 1);
      }),
    );
  });
});
