import { expect, test } from "vitest";
import { judgeDoors } from "./doors";

const well = { trouble: null, fix: null, clients: null, lag: null };
const listener = { ...well, source: null, what: "MQTT on 127.0.0.1:1883", clients: 12 };

test("without sources that need one, no door is missed", () => {
  expect(judgeDoors({ wanted: [], reports: [] })).toMatchObject({ status: "pass" });
});

test("doors that are open are told with their clients and lag", () => {
  const far = { ...well, source: "far", what: "topics plant of kafka:9092", lag: 7 };
  const wanted = [
    { source: "barn", type: "mqtt" },
    { source: "far", type: "kafka" },
  ] as const;
  expect(judgeDoors({ wanted, reports: [listener, far] })).toEqual({
    status: "pass",
    summary: "MQTT on 127.0.0.1:1883, 12 clients; far: topics plant of kafka:9092, 7 messages behind.",
  });
});

test("a process that isn't there fails; a door in trouble warns, with its words", () => {
  const wanted = [{ source: "barn", type: "mqtt" }] as const;
  expect(judgeDoors({ wanted, reports: [] })).toMatchObject({
    status: "fail",
    cause: "None has told of barn for half a minute.",
  });
  const broken = { ...well, source: "far", what: "bridge to mqtt://b", trouble: "The broker fell silent." };
  expect(judgeDoors({ wanted, reports: [listener, broken] })).toMatchObject({
    status: "warn",
    summary: "Nothing comes in by far.",
    cause: "far, bridge to mqtt://b: The broker fell silent.",
    fix: "It is tried again by itself.",
  });
});
