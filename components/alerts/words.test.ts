import { expect, test } from "vitest";
import type { Alert, AlertSummary } from "@/server/contracts/alerts";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { firingMark, verdictOf } from "../shell/firing-words";
import { alert } from "./testing-alert";
import { goesByValidRange, standingOf, whatOf, whatText } from "./words";

const ACKNOWLEDGED = { at: "2026-11-28T10:05:00.000Z", by: "Ada", until: null, note: null };
const spec = (rule: object) => ruleSpec.parse(rule);
const hot = spec({
  kind: "condition",
  conditions: [{ metric: "temperature", is: "above", warning: 80, critical: 95 }],
});

test("words an alert with its figure and the limit that was crossed", () => {
  const text = (one: Alert, of = hot) => whatText(whatOf(one, of));
  expect(text(alert())).toBe("temperature 91.3 °C, above 80");
  expect(text(alert({ severity: "critical", lastValue: 95.5 }))).toBe("temperature 95.5 °C, above 95");
  expect(text(alert({ endedAt: "2026-11-28T10:09:00.000Z", state: "resolved" }))).toBe(
    "temperature worst 96.1 °C, above 80",
  );
  expect(text(alert({ lastValue: null, worstValue: null }))).toBe("temperature above 80");
  expect(text(alert({ lastValue: 70 })), "the worst is called so where it isn't so any more").toBe(
    "temperature worst 96.1 °C, now 70, above 80",
  );
  expect(text(alert({ lastValue: null })), "nobody knows what it is now").toBe("temperature worst 96.1 °C, above 80");
  expect(text(alert({ metric: null, unit: null }))).toBe("Too hot");
  expect(text(alert({ metric: null }), spec({ kind: "silence", afterMs: 300_000 }))).toBe("Silent for more than 5 min");
  const range = spec({ kind: "condition", conditions: [{ metric: "*", is: "invalid" }] });
  expect([goesByValidRange(range), goesByValidRange(hot)]).toEqual([true, false]);
  expect(text(alert(), range)).toBe("temperature 91.3 °C, out of its valid range");
  const quality = spec({ kind: "quality", below: 60 });
  const bad = alert({ metric: null, unit: null, worstValue: 12.8, lastValue: 41.2 });
  expect(text(bad, quality)).toBe("Quality 41, below 60");
  expect(text({ ...bad, endedAt: bad.startedAt }, quality)).toBe("Quality worst 12, below 60");
  const odd = spec({ kind: "oddness", metric: "temperature", above: 30 });
  expect(text(alert({ worstValue: 52, lastValue: 31 }), odd)).toBe("Oddness of temperature worst 52, now 31, above 30");
  const either = spec({
    kind: "condition",
    match: "any",
    conditions: [
      { metric: "pressure", is: "above", warning: 5 },
      { metric: "temperature", is: "below", critical: -10 },
      { metric: "temperature", what: "minuteMean", is: "above", warning: 80 },
    ],
  });
  expect(text(alert({ condition: 2 }), either)).toBe("minute mean of temperature 91.3 °C, above 80");
  expect(text(alert({ metric: "pressure", condition: 0, unit: "bar" }), either)).toBe("pressure 91.3 bar, above 5");
  expect(text(alert({ condition: 0 }), either), "the rule has changed since").toBe("temperature 91.3 °C");
  const door = spec({ kind: "condition", conditions: [{ metric: "door", is: "true" }] });
  expect(text(alert({ metric: "door", unit: null, lastValue: 1 }), door)).toBe("door true");
});

test("the verdict says how many fire, where the critical ones are, who looks after them, and whom it can't be told to", () => {
  const now = Date.parse("2026-11-28T10:10:00.000Z");
  const quiet = {
    firing: 0,
    critical: 0,
    acknowledged: 0,
    criticalAcknowledged: 0,
    beneath: 0,
    silenced: 0,
    tellsAnybody: true,
  };
  const summary = (changes: Partial<AlertSummary>) => ({ ...quiet, criticalSites: [], channels: [], ...changes });
  const says = (changes: Partial<AlertSummary>) => verdictOf(summary(changes), now);
  const north = { criticalSites: ["north"] };
  expect(says({})).toBeNull();
  expect(says({ firing: 3, critical: 1, ...north })).toBe("3 firing: 1 critical at north; nobody has acknowledged");
  expect(says({ firing: 1, critical: 1, ...north })).toBe("1 firing: critical at north; nobody has acknowledged");
  expect(says({ firing: 9, silenced: 8 })).toBe("9 firing, none critical, 8 of them silenced; nobody has acknowledged");
  expect(says({ firing: 2, silenced: 2 })).toBe("2 firing, none critical, all silenced; nobody has acknowledged");
  expect(says({ firing: 2, acknowledged: 1 })).toBe("2 firing, none critical; 1 not acknowledged");
  expect(says({ firing: 2, acknowledged: 2 })).toBe("2 firing, none critical; all acknowledged");
  expect(says({ firing: 4, critical: 4, beneath: 5000, criticalSites: ["a", "b", "c", "d"] })).toBe(
    "4 firing, with 5,000 beneath: 4 critical at 4 sites; nobody has acknowledged",
  );
  const slack = { name: "Slack", since: "2026-11-28T10:05:30.000Z", waiting: 12 };
  expect(says({ firing: 1, channels: [slack] })).toBe(
    "1 firing, none critical; nobody has acknowledged; Slack has been away for 4 min, 12 messages wait",
  );
  expect(says({ channels: [{ ...slack, waiting: 1 }, slack] })).toBe(
    "Slack and 1 other have been away for 4 min, 13 messages wait",
  );
  expect(says({ channels: [{ ...slack, since: new Date(now - 17_000).toISOString() }] })).toBe(
    "Slack has been away for less than a minute, 12 messages wait",
  );
  expect(firingMark(summary({ firing: 2, critical: 1 }))).toBe("failing");
  expect(firingMark(summary({ firing: 2, critical: 1, acknowledged: 1, criticalAcknowledged: 1 }))).toBe("warning");
  expect(firingMark(summary({ firing: 1, acknowledged: 1 }))).toBe("acknowledged");
});

test("an acknowledged alert has the struck bell, one that is over its end", () => {
  expect(standingOf(alert({ acknowledged: ACKNOWLEDGED }))).toEqual(["acknowledged", "Warning"]);
  expect(standingOf(alert({ severity: "critical" }))).toEqual(["failing", "Critical"]);
  expect(standingOf(alert({ acknowledged: ACKNOWLEDGED, state: "closed" }))).toEqual(["unknown", "Closed"]);
});
