import { describe, expect, it } from "vitest";
import type { ProbeResult, ProbeStatus } from "@/server/contracts/health";
import { byGroup, isExplained, worst } from "./groups";

const probe = (group: string, name: string, status: ProbeStatus): ProbeResult => ({
  name,
  title: name,
  group,
  status,
  since: "2026-11-23T21:10:00.000Z",
  checkedAt: null,
  latencyMs: null,
  summary: "",
  cause: null,
  fix: null,
  commands: [],
});

describe("byGroup", () => {
  it("puts what fails first and keeps the rest in order", () => {
    const groups = byGroup([
      probe("A", "a1", "pass"),
      probe("B", "b1", "pass"),
      probe("A", "a2", "pass"),
      probe("C", "c1", "warn"),
      probe("B", "b2", "fail"),
    ]);
    expect(groups.map(([name, probes]) => [name, probes.map((one) => one.name)])).toEqual([
      ["B", ["b2", "b1"]],
      ["C", ["c1"]],
      ["A", ["a1", "a2"]],
    ]);
  });

  it("calls nothing unknown, not well", () => {
    expect(worst([])).toBe("unknown");
    expect(worst([probe("A", "a", "pass"), probe("A", "b", "unknown")])).toBe("unknown");
  });
});

it("a probe that can't be asked is explained by a failing one with the same cause", () => {
  const down = { ...probe("Kafka", "reachable", "fail"), cause: "Nothing listens." };
  const waiting = { ...probe("Kafka", "disk", "unknown"), cause: "Nothing listens." };
  expect(isExplained(waiting, [down, waiting])).toBe(true);
  expect(isExplained({ ...waiting, cause: "Not told." }, [down])).toBe(false);
  expect(isExplained(down, [down])).toBe(false);
});
