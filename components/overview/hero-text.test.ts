import { describe, expect, it } from "vitest";
import type { HealthAnswer, ProbeStatus } from "@/server/contracts/health";
import { heroText } from "./hero-text";

const since = "2026-11-24T14:02:00.000Z";
const health = (status: ProbeStatus, statuses: readonly ProbeStatus[]): HealthAnswer => ({
  status,
  verdict: "",
  parts: { what: "PostgreSQL is down", since, means: "readings can't be taken" },
  time: since,
  version: "0",
  leftOut: null,
  engines: { eventLog: "", documents: "", database: "" },
  jobs: [],
  probes: statuses.map((one, i) => ({
    ...{ name: `p${i}`, title: "", group: "", status: one, since, checkedAt: since, latencyMs: 1 },
    ...{ summary: "", cause: null, fix: null, commands: [] },
  })),
});

describe("heroText", () => {
  it("says what, since when and what it means, and counts what else isn't right", () => {
    expect(heroText(health("fail", ["fail", "fail", "warn", "pass"]), true, 1)).toEqual({
      mark: "failing",
      what: "PostgreSQL is down",
      since,
      means: "readings can't be taken",
      others: "1 more probe fails, 1 probe warns",
      isTrouble: true,
    });
  });

  it("doesn't call all of it good while an alert fires", () => {
    expect(heroText(health("pass", ["pass"]), true, 1, true)?.what).toBe("The pipeline is good");
    expect(heroText(health("fail", ["fail"]), true, 1, true)?.what).toBe("PostgreSQL is down");
  });

  it("does not count the one it tells of", () => {
    expect(heroText(health("warn", ["warn", "pass"]), true, 1)?.others).toBeNull();
    expect(heroText(health("pass", ["pass"]), true, 1)).toMatchObject({ mark: "ok", others: null, isTrouble: false });
  });

  it("tells a server that does not answer from one that never did, and from one still asked", () => {
    expect(heroText(undefined, false, 0)).toMatchObject({ mark: "failing", since: null });
    expect(heroText(health("pass", []), false, Date.parse(since))).toMatchObject({ isTrouble: true, since });
    expect(heroText(undefined, true, 0)).toBeNull();
  });
});
