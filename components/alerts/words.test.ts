import { expect, test } from "vitest";
import type { Alert } from "@/server/contracts/alerts";
import { ruleSpec } from "@/server/domain/alerts/rule";
import { verdictOf } from "../shell/firing-words";
import { inOrder, standingOf, whatOf, whatText } from "./words";

const ACKNOWLEDGED = { at: "2026-11-28T10:05:00.000Z", by: "Ada", until: null, note: null };
const alert = (changes: Partial<Alert> = {}): Alert => ({
  ...{
    id: "1",
    rule: { id: 1, name: "Too hot", version: 1 },
    device: "press-07",
    site: "north",
    subject: null,
    metric: "temperature",
  },
  ...{ unit: "°C", severity: "warning", state: "firing", startedAt: "2026-11-28T10:00:00.000Z" },
  ...{ firedAt: "2026-11-28T10:01:00.000Z", endedAt: null, decidedAt: "2026-11-28T10:01:00.100Z" },
  ...{ firstValue: 81, worstValue: 96.1, worstAt: null, lastValue: 91.25, closedReason: null, late: false },
  ...{ parent: null, flaps: 0, flapping: false, noDataSince: null, acknowledged: null },
  ...changes,
});
const spec = (rule: object) => ruleSpec.parse(rule);
const hot = spec({
  kind: "condition",
  conditions: [{ metric: "temperature", is: "above", warning: 80, critical: 95 }],
});

test("words an alert with its figure and the limit that was crossed", () => {
  const text = (one: Alert, of = hot) => whatText(whatOf(one, of));
  expect(text(alert())).toBe("temperature 91.3 °C, above 80");
  expect(text(alert({ severity: "critical" }))).toBe("temperature 91.3 °C, above 95");
  expect(text(alert({ endedAt: "2026-11-28T10:09:00.000Z", state: "resolved" }))).toBe("temperature 96.1 °C, above 80");
  expect(text(alert({ lastValue: null }))).toBe("temperature above 80");
  expect(text(alert({ metric: null, unit: null }))).toBe("Too hot");
  expect(text(alert({ metric: null }), spec({ kind: "silence", afterMs: 300_000 }))).toBe("Silent for more than 5 min");
  const range = spec({ kind: "condition", conditions: [{ metric: "*", is: "invalid" }] });
  expect(text(alert(), range)).toBe("temperature 91.3 °C, out of its valid range");
  const door = spec({ kind: "condition", conditions: [{ metric: "door", is: "true" }] });
  expect(text(alert({ metric: "door", unit: null, lastValue: 1 }), door)).toBe("door true");
});

test("the verdict says how many fire, where the critical ones are, and whether anybody looks after them", () => {
  const critical = { severity: "critical" } as const;
  const looked = { acknowledged: ACKNOWLEDGED };
  expect(verdictOf([alert(critical), alert(), alert()])).toBe("3 firing: 1 critical at north; nobody has acknowledged");
  expect(verdictOf([alert(critical)])).toBe("1 firing: critical at north; nobody has acknowledged");
  expect(verdictOf([alert(looked), alert()])).toBe("2 firing, none critical; 1 not acknowledged");
  expect(verdictOf([alert(looked), alert(looked)])).toBe("2 firing, none critical; all acknowledged");
  const sites = ["a", "b", "c"].map((site) => alert({ ...critical, site }));
  expect(verdictOf(sites, true)).toBe("3 or more firing: 3 critical at 3 sites; nobody has acknowledged");
});

test("the worst stand first, and acknowledging moves none", () => {
  const rows = [
    alert({ id: "1" }),
    alert({ id: "2", acknowledged: ACKNOWLEDGED }),
    alert({ id: "3", severity: "critical" }),
  ];
  expect(inOrder(rows).map(({ id }) => id)).toEqual(["3", "2", "1"]);
});

test("an acknowledged alert has the struck bell, one that is over its end", () => {
  expect(standingOf(alert({ acknowledged: ACKNOWLEDGED }))).toEqual(["acknowledged", "Warning"]);
  expect(standingOf(alert({ severity: "critical" }))).toEqual(["failing", "Critical"]);
  expect(standingOf(alert({ acknowledged: ACKNOWLEDGED, state: "closed" }))).toEqual(["unknown", "Closed"]);
});
