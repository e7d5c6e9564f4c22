import type { ZodError } from "zod";
import { type RuleSpec, ruleSpec, type Selector } from "@/server/domain/alerts/rule";
import { durationText, limitText, parseDuration, parseLimit } from "./draft-text";

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

/** What stands in the way of a rule: the field's path and why. */
export interface Fault {
  readonly at: string;
  readonly message: string;
}

/** Reads the fields: a rule, or what is wrong with it. */
export function specOf(draft: Draft): { readonly spec: RuleSpec } | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const wanted = wantedOf(draft, (at, message) => faults.push({ at, message }));
  if (faults.length > 0) return { faults };
  // What is left out isn't there at all: the schema takes no undefined limits for those of a flag.
  const read = ruleSpec.safeParse(JSON.parse(JSON.stringify(wanted)));
  return read.success ? { spec: read.data } : { faults: faultsOf(read.error) };
}

/**
 * What a rule would watch, whatever its limits are: the same while one is dragged, and known before there is one. Null where the metric or
 * the devices aren't said yet.
 */
export function watchedBy(draft: Draft): RuleSpec | null {
  const conditions = draft.conditions.map((one): ConditionDraft => ({
    ...one,
    warning: one.is === "outside" ? "0 to 1" : "0",
    critical: "",
    clear: "",
  }));
  const read = specOf({ ...draft, conditions });
  return "spec" in read ? read.spec : null;
}

type Refuse = (at: string, message: string) => void;

function wantedOf(draft: Draft, refuse: Refuse): object {
  const { kind, severity } = draft;
  const duration = (text: string, at: string) => {
    const ms = parseDuration(text);
    if (ms === null) refuse(at, "Write a length of time: 90 s, 5 min, 2 h");
    return ms ?? 0;
  };
  const figure = (text: string, at: string) => {
    const value = parseLimit(text, false);
    if (typeof value !== "number") refuse(at, "Write a number");
    return Number(value);
  };
  const times = () => ({ forMs: duration(draft.lasting, "lasting"), keepMs: duration(draft.keep, "keep") });
  if (kind === "pipeline") {
    const { measure } = draft;
    // An engine is away or it isn't.
    const limit = measure === "engineAway" ? undefined : figure(draft.limit, "limit");
    return { kind, measure, limit, severity, ...times() };
  }
  const of = wantedSelection(draft, refuse);
  switch (kind) {
    case "condition":
      return {
        ...{ kind, of, match: draft.match, late: draft.late, ...times() },
        holds: draft.holds === "fixed" ? duration(draft.holdFor, "holdFor") : draft.holds,
        conditions: draft.conditions.map((one, i) => wantedCondition(one, i, refuse)),
      };
    case "silence":
      return { kind, of, severity, afterMs: duration(draft.after, "after") || null };
    case "share-of-site":
      return {
        ...{ kind, of, severity, atLeast: figure(draft.atLeast, "atLeast") },
        ...{ share: figure(draft.share, "share") / 100, withinMs: duration(draft.within, "within") },
      };
    case "quality":
      return { kind, of, severity, below: figure(draft.score, "score"), ...times() };
    case "oddness":
      return { kind, of, severity, metric: draft.metric, above: figure(draft.score, "score"), ...times() };
  }
}

function wantedSelection(draft: Draft, refuse: Refuse): object {
  const some = (list: readonly string[]) => (list.length > 0 ? list : undefined);
  const pairs = draft.labels.map((label) => {
    const at = label.indexOf(":");
    if (at < 1 || at === label.length - 1) refuse("labels", "Write a label as key:value");
    return [label.slice(0, at), label.slice(at + 1)] as const;
  });
  return {
    ...{ sites: some(draft.sites), types: some(draft.types), devices: some(draft.devices) },
    ...{ without: some(draft.without), labels: pairs.length > 0 ? Object.fromEntries(pairs) : undefined },
  };
}

function wantedCondition(one: ConditionDraft, i: number, refuse: Refuse): object {
  const { metric, what, is, severity } = one;
  if (is === "true" || is === "false" || is === "invalid")
    return { metric, what, is, severity: severity === "critical" ? severity : undefined };
  const limit = (name: "warning" | "critical" | "clear") => {
    const value = parseLimit(one[name], is === "outside");
    if (value === null)
      refuse(`conditions.${i}.${name}`, is === "outside" ? "Write two limits: 10 to 80" : "Write a number");
    return value ?? undefined;
  };
  return { metric, what, is, warning: limit("warning"), critical: limit("critical"), clear: limit("clear") };
}

const PLACES: Record<string, string> = {
  ...{ forMs: "lasting", keepMs: "keep", afterMs: "after", holds: "holdFor" },
  ...{ withinMs: "within", below: "score", above: "score" },
};

function faultsOf(error: ZodError): Fault[] {
  return error.issues.map(({ path, message }) => {
    const parts = path[0] === "of" ? path.slice(1, 2) : path;
    const at = parts.join(".");
    return { at: PLACES[at] ?? at, message };
  });
}
