import type { RuleSpec, Selector } from "@/server/domain/alerts/rule";
import { durationText, limitText } from "./draft-text";

/** One condition as its fields hold it. */
export interface ConditionDraft {
  readonly metric: string;
  readonly what: "value" | "changePerMinute" | "minuteMean" | "minuteMin" | "minuteMax";
  readonly is: "above" | "below" | "outside" | "equals" | "true" | "false" | "invalid";
  readonly warning: string;
  readonly critical: string;
  readonly clear: string;
  readonly severity: "warning" | "critical";
}

/** A rule as the fields of its editor hold it: all of them text, also of what doesn't count just now. */
export interface Draft {
  readonly kind: RuleSpec["kind"];
  readonly match: "all" | "any";
  readonly conditions: readonly ConditionDraft[];
  readonly lasting: string;
  readonly keep: string;
  readonly holds: "auto" | "until-next" | "fixed";
  readonly holdFor: string;
  /** Of silence. */
  readonly after: string;
  readonly severity: "warning" | "critical";
  readonly late: "record" | "tell";
  /** Of a share of a site, in percent; how many devices it is at least; within which time. */
  readonly share: string;
  readonly atLeast: string;
  readonly within: string;
  /** What a score of quality or oddness is held against. */
  readonly score: string;
  /** Of oddness. */
  readonly metric: string;
  /** Of the pipeline. */
  readonly measure: Measure;
  readonly limit: string;
  readonly sites: readonly string[];
  readonly types: readonly string[];
  readonly devices: readonly string[];
  readonly without: readonly string[];
  /** key:value each. */
  readonly labels: readonly string[];
}

/** What of the pipeline a rule can be about. */
export type Measure = Extract<RuleSpec, { kind: "pipeline" }>["measure"];

export const NEW_CONDITION: ConditionDraft = {
  ...{ metric: "", what: "value", is: "above", warning: "", critical: "", clear: "", severity: "warning" },
};

export const NEW_DRAFT: Draft = {
  ...{ kind: "condition", match: "all", conditions: [NEW_CONDITION], lasting: "", keep: "" },
  ...{ holds: "auto", holdFor: "", after: "", severity: "warning", late: "record" },
  ...{ share: "30", atLeast: "5", within: "2 min", score: "", metric: "*", measure: "lagSeconds", limit: "" },
  ...{ sites: [], types: [], devices: [], without: [], labels: [] },
};

/** Fills the fields with a rule. */
export function draftOf(spec: RuleSpec): Draft {
  return { ...NEW_DRAFT, ...(spec.kind === "pipeline" ? {} : selectionOf(spec.of)), kind: spec.kind, ...ownOf(spec) };
}

function selectionOf({ sites = [], types = [], devices = [], without = [], labels = {} }: Selector): Partial<Draft> {
  return { sites, types, devices, without, labels: Object.entries(labels).map((pair) => pair.join(":")) };
}

function ownOf(spec: RuleSpec): Partial<Draft> {
  switch (spec.kind) {
    case "condition": {
      const { match, holds, late, conditions } = spec;
      return {
        ...{ match, late, ...timesOf(spec) },
        ...(typeof holds === "number" ? { holds: "fixed" as const, holdFor: durationText(holds) } : { holds }),
        conditions: conditions.map(({ warning, critical, clear, severity, ...one }) => ({
          ...{ ...one, warning: limitText(warning), critical: limitText(critical), clear: limitText(clear) },
          severity: severity ?? "warning",
        })),
      };
    }
    case "silence":
      return { severity: spec.severity, after: durationText(spec.afterMs ?? 0) };
    case "share-of-site": {
      const { severity, share, atLeast, withinMs } = spec;
      // A share of 0.07 is 7 %, not 7.000000000000001.
      const percent = String(Number((share * 100).toPrecision(12)));
      return { severity, share: percent, atLeast: String(atLeast), within: durationText(withinMs) };
    }
    case "quality":
      return { severity: spec.severity, score: String(spec.below), ...timesOf(spec) };
    case "oddness":
      return { severity: spec.severity, score: String(spec.above), metric: spec.metric, ...timesOf(spec) };
    case "pipeline":
      return { severity: spec.severity, measure: spec.measure, limit: String(spec.limit ?? ""), ...timesOf(spec) };
  }
}

function timesOf({ forMs, keepMs }: { forMs: number; keepMs: number }) {
  return { lasting: durationText(forMs), keep: durationText(keepMs) };
}

/** The fields that an address fills: ?metric=temperature&above=96&type=press&site=north; what leads here begins a rule that way. */
export function draftInAddress(address: URLSearchParams): Draft {
  const named = (key: string) => address.getAll(key).filter((value) => value !== "");
  const [metric, warning] = [address.get("metric") ?? "", address.get("above") ?? ""];
  return {
    ...{ ...NEW_DRAFT, sites: named("site"), types: named("type"), devices: named("device") },
    conditions: [{ ...NEW_CONDITION, metric, warning }],
  };
}

/** What takes that out of an address again. */
export const NO_DRAFT = { new: null, metric: null, above: null, type: null, site: null, device: null, on: null };
