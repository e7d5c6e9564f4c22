import { expect, it } from "vitest";
import type { AlertSummary } from "@/server/contracts/alerts";
import { severityWords } from "./firing-words";

const summary = (firing: number, critical: number, acknowledged: number): AlertSummary => ({
  ...{
    firing,
    critical,
    acknowledged,
    criticalAcknowledged: 0,
    beneath: 0,
    criticalSites: [],
    channels: [],
    silenced: 0,
    tellsAnybody: true,
  },
});

it.each([
  [summary(3, 1, 0), "1 critical, 2 warning, nobody has acknowledged"],
  [summary(2, 2, 2), "2 critical, all acknowledged"],
  [summary(12_000, 0, 1), "12,000 warning, 11,999 not acknowledged"],
])("tells what fires by severity, and who looks after it", (of, words) => expect(severityWords(of)).toBe(words));
