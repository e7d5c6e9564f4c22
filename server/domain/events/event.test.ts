import { expect, test } from "vitest";
import { laneOf, sentenceOf } from "./event";

const ABOUT = { device: null, site: null, count: 1, silent: 0, isOver: false, durationMs: 0 };

test("devices that are overdue are told of by the words of their list", () => {
  const told = (count: number, silent: number) =>
    sentenceOf({
      ...ABOUT,
      kind: "silence",
      key: "7",
      device: count === 1 ? "press-07" : null,
      site: "north",
      count,
      silent,
      data: {},
    });
  expect([told(1, 0), told(1, 1), told(3, 0), told(3, 2), told(3, 3)]).toEqual([
    "press-07 went stale",
    "press-07 fell silent",
    "3 devices of north went stale",
    "3 devices of north went stale, 2 of them silent",
    "3 devices of north fell silent",
  ]);
});

test("a probe's trouble is told by what was found, after the title of what should be so", () => {
  const data = { group: "Pipeline", title: "Devices send as usual", summary: "None of 50 devices is live." };
  const told = { ...ABOUT, kind: "probe", key: "fleet.devices" } as const;
  expect(sentenceOf({ ...told, data: { ...data, cause: "Nothing has arrived." } })).toBe(
    "Pipeline, Devices send as usual: None of 50 devices is live – Nothing has arrived",
  );
  // As the version before kept it, without what was found.
  expect(sentenceOf({ ...told, data: { group: "Kafka", title: "Answers" } })).toBe("Kafka, Answers: not so");
});

test("a probe's trouble lies in the lane of what it is about", () => {
  const lane = (key: string) => laneOf({ kind: "probe", key });
  expect(
    ["fleet.devices", "alerts.channels", "jobs.run", "sources.doors", "postgres.reachable", "machine.disk"].map(lane),
  ).toEqual(["devices", "alerts", "worker", "ingest", "stores", "stores"]);
});
