import { describe, expect, test } from "vitest";
import { createPaceMeter, type Look, paceOf } from "./pace";

/** A look at partitions given as [end, lag, lagSeconds]. */
const look = (seconds: number, ...partitions: (readonly [end: number, lag: number, lagSeconds?: number | null])[]) => ({
  time: seconds * 1000,
  cluster: "here",
  partitions: partitions.map(([end, lag, lagSeconds = lag > 0 ? 60 : 0], partition) => {
    return { partition, end, lag, lagSeconds };
  }),
});

describe("what comes in", () => {
  test("is what all ends grew by", () => {
    expect(paceOf([look(0, [10, 0], [0, 0]), look(10, [110, 0], [50, 0])]).incomingPerSecond).toBe(15);
  });

  test("is unknown until two looks are far enough apart", () => {
    expect(paceOf([look(0, [10, 0])]).incomingPerSecond).toBeNull();
    expect(paceOf([look(0, [10, 0]), look(1, [20, 0])]).incomingPerSecond).toBeNull();
  });

  test("goes on over a topic made anew, and over partitions that were added", () => {
    const looks = [look(0, [1000, 0]), look(5, [1010, 0]), look(10, [20, 20]), look(15, [30, 5], [10, 10])];
    expect(paceOf(looks).incomingPerSecond).toBe((10 + 20 + 10 + 10) / 15);
  });
});

describe("time to clear", () => {
  test("is what waits by how fast that becomes less", () => {
    const pace = paceOf([look(0, [1000, 400], [0, 0]), look(10, [1500, 300], [0, 0])]);
    expect(pace.clearSeconds).toBe(30);
    expect([...pace.clearSecondsOf]).toEqual([
      [0, 30],
      [1, 0],
    ]);
  });

  test("is 0 when nothing waits, even at the first look", () => {
    expect(paceOf([look(0, [1000, 0])])).toMatchObject({ clearSeconds: 0, clearSecondsOf: new Map([[0, 0]]) });
  });

  test("is unknown at the first look, and when what waits doesn't become less", () => {
    expect(paceOf([look(0, [1000, 10])]).clearSeconds).toBeNull();
    expect(paceOf([look(0, [1000, 10]), look(5, [1000, 10])]).clearSeconds).toBeNull();
    expect(paceOf([look(0, [1000, 10]), look(5, [1100, 20])]).clearSeconds).toBeNull();
  });

  test("of what is on its way is how fast messages are handled, though as many wait as before", () => {
    const pace = paceOf([look(0, [1000, 4, 0.1]), look(10, [1500, 5, 0.1])]);
    expect(pace.clearSeconds).toBeCloseTo(5 / 49.9);
    // Nothing is handled any more: it is waiting, however young.
    expect(paceOf([look(0, [1000, 4, 0.1]), look(10, [1500, 504, 0.1])]).clearSeconds).toBeNull();
  });

  test("compares nothing with a topic's earlier life", () => {
    expect(paceOf([look(0, [5000, 4000]), look(5, [100, 100])]).clearSeconds).toBeNull();
    expect(paceOf([look(0, [5000, 4000]), look(5, [100, 100]), look(10, [100, 50])]).clearSeconds).toBe(5);
  });
});

describe("the meter", () => {
  test("follows a change within 15 seconds, however often it looks", () => {
    const meter = createPaceMeter();
    let last = meter(look(0, [0, 0]));
    for (let tenths = 1; tenths <= 300; tenths++) last = meter(look(tenths / 10, [tenths * 10, 0]));
    expect(last.incomingPerSecond).toBeCloseTo(100, 0);
    for (let tenths = 301; tenths <= 470; tenths++) last = meter(look(tenths / 10, [3000, 0]));
    expect(last.incomingPerSecond).toBe(0);
  });

  test("begins anew with another cluster and after a clock that was set back", () => {
    const meter = createPaceMeter();
    const elsewhere = (seconds: number, end: number): Look => ({ ...look(seconds, [end, 0]), cluster: "elsewhere" });
    meter(look(100, [0, 0]));
    expect(meter(look(110, [10, 0])).incomingPerSecond).toBe(1);
    expect(meter(elsewhere(115, 10_000)).incomingPerSecond).toBeNull();
    expect(meter(elsewhere(120, 10_050)).incomingPerSecond).toBe(10);
    expect(meter(elsewhere(60, 10_100)).incomingPerSecond).toBeNull();
    expect(meter(elsewhere(70, 10_110)).incomingPerSecond).toBe(1);
  });
});
