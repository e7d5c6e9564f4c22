import { type RuleSpec, ruleSpec } from "./rule";

/** A rule to begin with. */
export interface ReadyRule {
  readonly name: string;
  readonly spec: RuleSpec;
  readonly note: string;
}

const ready = (name: string, spec: unknown, note: string): ReadyRule => ({ name, spec: ruleSpec.parse(spec), note });

/** Rules that fit any fleet. */
export const READY_RULES: readonly ReadyRule[] = [
  ready("Device silent", { kind: "silence" }, "By what is usual for each device; an outage of ours counts for none."),
  ready(
    "Site cut off",
    { kind: "share-of-site" },
    "Many devices of a site fall silent at once: told as one alert, theirs are beneath it.",
  ),
  ready(
    "Value out of its valid range",
    { kind: "condition", conditions: [{ metric: "*", is: "invalid" }], keepMs: 60_000 },
    "Goes by the valid range that a metric has in the catalog: give metrics one on the page Metrics, and their values are watched.",
  ),
  ready(
    "Many dead letters",
    { kind: "pipeline", measure: "deadLetterPercent", limit: 1, forMs: 300_000, keepMs: 300_000 },
    "More messages than usual can't become readings: see the page Dead letters.",
  ),
  ready(
    "Pipeline behind",
    { kind: "pipeline", measure: "lagSeconds", limit: 60, forMs: 60_000, keepMs: 60_000, severity: "critical" },
    "Readings come late to every screen and rule.",
  ),
  ready(
    "Disk nearly full",
    { kind: "pipeline", measure: "freeDiskPercent", limit: 10, forMs: 60_000, keepMs: 300_000, severity: "critical" },
    "Once it is full nothing is kept any more.",
  ),
];
