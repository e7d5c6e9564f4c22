import { expect, test } from "vitest";
import type { StripsAnswer } from "@/server/contracts/devices";
import type { LiveDevice } from "@/server/contracts/live";
import {
  applyToStrips,
  mustReloadStrips,
  roomyBands,
  type TextBand,
  textBands,
  textShares,
  toDeviceStrips,
  valuePlaces,
} from "./texts";

const MINUTE = 60_000;
const answer = (runs: StripsAnswer["texts"][number]["runs"]): StripsAnswer => ({
  ...{ device: "press-1", from: "2026-01-15T12:00:00Z", to: "2026-01-15T13:00:00Z", bucketMs: 60_000, lastSeen: null },
  ...{ strips: [], texts: [{ field: "mode", runs, more: false }] },
});
const loaded = toDeviceStrips(
  answer([
    [0, 5 * MINUTE, "auto"],
    [6 * MINUTE, 9 * MINUTE, "manual"],
  ]),
);
const frame = (texts: LiveDevice["texts"], more = false) => ({
  kind: "devices" as const,
  devices: [{ id: "press-1", lastSeen: 1, messages: 1, points: {}, texts, more }],
});
const runsOf = (strips: typeof loaded, field = "mode") =>
  strips.texts
    .find((one) => one.field === field)
    ?.runs.map(({ from, to, value }) => [from / MINUTE, to / MINUTE, value]);

test("a frame goes on with the run, or begins the next, and one of another device changes nothing", () => {
  const same = applyToStrips(loaded, frame({ mode: [10 * MINUTE, "manual"] }));
  expect(runsOf(same)).toEqual([
    [0, 5, "auto"],
    [6, 10, "manual"],
  ]);
  const next = applyToStrips(same, frame({ mode: [11 * MINUTE, "auto"], state: [11 * MINUTE, "idle"] }));
  expect(runsOf(next)?.at(-1)).toEqual([11, 11, "auto"]);
  expect(runsOf(next, "state")).toEqual([[11, 11, "idle"]]);
  expect(runsOf(applyToStrips(next, frame({ mode: [-5, "auto"] })))).toEqual(runsOf(next));
  const other = { ...frame({}), devices: [{ ...frame({ mode: [12 * MINUTE, "x"] }).devices[0]!, id: "other" }] };
  expect(applyToStrips(next, other)).toBe(next);
  expect([mustReloadStrips(loaded, frame({}, true)), mustReloadStrips(loaded, frame({}))]).toEqual([true, false]);
});

const { runs } = loaded.texts[0]!;
const bare = (bands: readonly TextBand[]) => bands.map(({ from, to, value }) => [from / MINUTE, to / MINUTE, value]);

test("a value holds until another was said, and the last until the device was heard last", () => {
  const range = { from: 2 * MINUTE, to: 20 * MINUTE };
  const bands = textBands(runs, range, 12 * MINUTE);
  expect(bare(bands)).toEqual([
    [2, 6, "auto"],
    [6, 12, "manual"],
  ]);
  expect(bands.map(({ since, until }) => [since, until])).toEqual([
    [0, 6 * MINUTE],
    [6 * MINUTE, null],
  ]);
  expect(bare(textBands(runs, { from: 15 * MINUTE, to: 20 * MINUTE }, 30 * MINUTE))).toEqual([[15, 20, "manual"]]);
  expect(textBands(runs, { from: 15 * MINUTE, to: 20 * MINUTE }, 12 * MINUTE)).toEqual([]);
  expect(textShares(bands)).toEqual([
    { value: "manual", share: 0.6 },
    { value: "auto", share: 0.4 },
  ]);
});

test("bands too short to be seen are drawn as one that says how many they are", () => {
  const quick = Array.from({ length: 10 }, (_, i) => {
    return { from: i * 1000, to: i * 1000, value: i % 2 === 0 ? "a" : "b", quiet: null };
  });
  const all = textBands(
    [...quick, { from: MINUTE, to: MINUTE, value: "a", quiet: null }],
    { from: 0, to: 2 * MINUTE },
    2 * MINUTE,
  );
  expect(roomyBands(all, 2000).map(({ from, to, value, bands }) => [from, to, value, bands])).toEqual([
    [0, 9000, null, 9],
    [9000, MINUTE, "b", 1],
    [MINUTE, 2 * MINUTE, "a", 1],
  ]);
  expect(roomyBands(all, 10)).toEqual(all);
});

test("a value has the same color whatever others there are, and no two the same while there are enough", () => {
  const all = ["auto", "manual", "maintenance", "idle", "setup", "off", "seventh"];
  const places = valuePlaces(all, 6);
  expect([...places.values()].toSorted()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(places.has("seventh")).toBe(false);
  expect(valuePlaces(all.toReversed().slice(1), 6)).toEqual(places);
});
