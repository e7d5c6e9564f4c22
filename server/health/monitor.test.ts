import { afterEach, expect, test } from "vitest";
import { until } from "@/server/testing/until";
import { type Monitor, startMonitor, worst } from "./monitor";
import { type Finding, pass, type Probe } from "./probe";

const monitors: Monitor[] = [];
afterEach(() => monitors.splice(0).forEach((monitor) => monitor.stop()));

function monitored(probe: Partial<Probe>): Monitor {
  const whole: Probe = {
    name: "a.b",
    title: "t",
    group: "g",
    timeoutMs: 1000,
    run: async () => pass("fine"),
    ...probe,
  };
  const monitor = startMonitor([whole], { everyMs: 10, now: Date.now });
  monitors.push(monitor);
  return monitor;
}
const refusedConnection = () => Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));

test("a probe is unknown until it was asked, then says what it found and since when", async () => {
  let found: Finding = pass("fine");
  const monitor = monitored({ run: async () => found });
  expect(monitor.results()[0]).toMatchObject({ status: "unknown", checkedAt: null });
  await monitor.firstRound();
  const [first] = monitor.results();
  expect(first).toMatchObject({ status: "pass", summary: "fine", cause: null, fix: null });
  await until(() => monitor.results()[0]!.checkedAt !== first!.checkedAt);
  expect(monitor.results()[0]!.since).toBe(first!.since);
  let changes = 0;
  monitor.onChange(() => changes++);
  found = { status: "warn", summary: "slow", cause: "c", fix: "f" };
  await until(() => monitor.results()[0]!.status === "warn");
  expect(changes).toBe(1);
  expect(monitor.results()[0]!.since >= first!.since).toBe(true);
});

test("an outage is unknown, or what the probe makes of it; a bug fails", async () => {
  const down = () => ({ status: "fail", summary: "down", cause: "c", fix: "f" }) as const;
  const outage = monitored({ run: refusedConnection });
  const known = monitored({ run: refusedConnection, whenDown: down });
  const bug = monitored({ run: () => Promise.reject(new TypeError("oops")) });
  await Promise.all([outage, known, bug].map((monitor) => monitor.firstRound()));
  expect([outage, known, bug].map((monitor) => monitor.results()[0]!.status)).toEqual(["unknown", "fail", "fail"]);
  expect(bug.results()[0]!.cause).toBe("oops");
});

test("a probe that hangs is reported after its timeout and not asked again meanwhile", async () => {
  let asked = 0;
  let answer = (_: Finding) => {};
  const monitor = monitored({ timeoutMs: 30, run: () => (asked++, new Promise((resolve) => (answer = resolve))) });
  await until(() => monitor.results()[0]!.cause === "no answer within 30 ms");
  expect([asked, monitor.results()[0]!.status]).toEqual([1, "unknown"]);
  answer(pass("late"));
  await until(() => asked > 1);
});

test("fail is worse than warn, warn than unknown, unknown than pass", () => {
  expect(worst(["pass", "unknown"])).toBe("unknown");
  expect(worst(["unknown", "warn", "pass"])).toBe("warn");
  expect(worst(["warn", "fail"])).toBe("fail");
  expect(worst([])).toBe("pass");
});
