import { describe, expect, it } from "vitest";
import type { DeviceCheck, Flag } from "./checks";
import { newDevice, stepDevice } from "./device-checks";

const SECOND = 1000;
const MINUTE = 60_000;
const BEGIN = Date.UTC(2026, 10, 23);

/** Goes through messages as pairs of event time and arrival; returns the flags with their last ends, and what goes on. */
function follow(messages: readonly (readonly [time: number, arrived: number])[]) {
  const state = newDevice();
  const flags = new Map<string, Flag<DeviceCheck>>();
  const goesOn = messages.map(([time, arrived]) =>
    stepDevice(state, BEGIN + time, BEGIN + arrived, (flag) =>
      flags.set(`${flag.check} ${flag.from}`, { ...flag, from: flag.from - BEGIN, to: flag.to - BEGIN }),
    ),
  );
  return { flags: [...flags.values()], goesOn };
}

/** A message every ten seconds, there 50 ms later. */
const steady = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => [from + i * 10 * SECOND, from + i * 10 * SECOND + 50] as const);

describe("the checks of a device's messages", () => {
  it("flag nothing of a steady one, nor of one that is repeated", () => {
    expect(follow(steady(100).flatMap((one) => [one, one])).flags).toEqual([]);
  });

  it("find a gap by the device's own pace", () => {
    const after = 100 * 10 * SECOND;
    expect(follow([...steady(100), ...steady(20, after + 40 * SECOND)]).flags).toEqual([
      { check: "gap", level: "suspect", from: 99 * 10 * SECOND, to: after + 40 * SECOND },
    ]);
    const hourly = Array.from({ length: 60 }, (_, i) => [i * 60 * MINUTE, i * 60 * MINUTE + 50] as const);
    expect(follow(hourly).flags).toEqual([]);
  });

  it("find the gap of a device that stopped right after it began, once its pace is known", () => {
    const back = 3600 * SECOND;
    const { flags } = follow([...steady(3), ...steady(18, back), ...steady(20, back + 230 * SECOND)]);
    expect(flags).toEqual([
      { check: "gap", level: "suspect", from: 20 * SECOND, to: back },
      // The hour says nothing of its pace: a hole of a minute is found right afterwards.
      { check: "gap", level: "suspect", from: back + 170 * SECOND, to: back + 230 * SECOND },
    ]);
    expect(follow([...steady(3), ...steady(10, back)]).flags).toEqual([]);
    const uneven = Array.from(
      { length: 60 },
      (_, i) => [(i * 60 + (i % 3) * 25) * SECOND, (i * 60 + (i % 3) * 25) * SECOND + 50] as const,
    );
    expect(follow(uneven).flags).toEqual([]);
  });

  it("find that nothing was received, and no gap, where a backlog filled it", () => {
    const back = 130 * 10 * SECOND;
    const backlog = Array.from({ length: 30 }, (_, i) => [(100 + i) * 10 * SECOND, back + 50 + i] as const);
    expect(follow([...steady(100), ...backlog, ...steady(20, back)]).flags).toEqual([
      { check: "reception", level: "suspect", from: 990 * SECOND, to: 1300 * SECOND },
    ]);
  });

  it("don't call it a fault that a device sends what it collected once an hour", () => {
    const hours = Array.from({ length: 40 }, (_, hour) =>
      Array.from({ length: 360 }, (_, i) => [(hour * 360 + i) * 10 * SECOND, (hour + 1) * 60 * MINUTE + i] as const),
    );
    const { flags } = follow(hours.flat());
    expect(flags.filter(({ from }) => from > 2 * 60 * MINUTE)).toEqual([]);
  });

  it("know the pace of a device whose clock was off from the first message on", () => {
    const every2s = (count: number, from: number) =>
      Array.from({ length: count }, (_, i) => [from + i * 2 * SECOND, from + i * 2 * SECOND + 50] as const);
    const wrong = every2s(30, 0).map(([time, arrived]) => [time - 25 * MINUTE, arrived] as const);
    const backlog = every2s(30, 660 * SECOND).map(([time], i) => [time, 719 * SECOND + i] as const);
    const { flags } = follow([...wrong, ...every2s(300, 60 * SECOND), ...backlog, ...every2s(30, 720 * SECOND)]);
    expect(flags.filter(({ check }) => check === "clock")).toHaveLength(1);
  });

  it("find a gap within a backlog", () => {
    const back = 130 * 10 * SECOND;
    const backlog = Array.from({ length: 30 }, (_, i) => [(100 + i) * 10 * SECOND, back + 50 + i] as const);
    const { flags } = follow([...steady(100), ...backlog.slice(0, 10), ...backlog.slice(20), ...steady(20, back)]);
    expect(flags.filter(({ check }) => check === "gap")).toEqual([
      { check: "gap", level: "suspect", from: 1090 * SECOND, to: 1200 * SECOND },
    ]);
  });

  it("flag what comes late, and don't go on with it", () => {
    const { flags, goesOn } = follow([...steady(50), [480 * SECOND - 1, 491 * SECOND], ...steady(5, 500 * SECOND)]);
    expect(flags).toEqual([{ check: "late", level: "suspect", from: 479_999, to: 479_999 }]);
    expect(goesOn[50]).toBe(false);
    expect(goesOn.filter((on) => !on)).toHaveLength(1);
  });

  it.each([
    ["ahead", 12 * MINUTE],
    ["behind", -25 * MINUTE],
  ])("find a clock that is %s, go on by it, and find no gap before or after", (_, off) => {
    const wrong = steady(30, 500 * SECOND).map(([time, arrived]) => [time + off, arrived] as const);
    const { flags, goesOn } = follow([...steady(50), ...wrong, ...steady(30, 800 * SECOND)]);
    expect(flags.filter(({ check }) => check !== "late")).toEqual([
      { check: "clock", level: "suspect", from: 500 * SECOND + off, to: 790 * SECOND + off },
    ]);
    expect(goesOn.filter((on) => !on)).toHaveLength(2);
  });
});
