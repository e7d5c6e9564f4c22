import type { ZodError } from "zod";
import { type RuleSpec, ruleSpec } from "@/server/domain/alerts/rule";
import type { ConditionDraft, Draft } from "./draft";
import { parseDuration, parseLimit } from "./draft-text";

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
