import type { ZodError } from "zod";
import { type Limit, type RuleSpec, ruleSpec } from "@/server/domain/alerts/rule";
import { formatDuration } from "@/server/domain/duration";

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
  readonly kind: "condition" | "silence";
  readonly match: "all" | "any";
  readonly conditions: readonly ConditionDraft[];
  readonly lasting: string;
  readonly keep: string;
  readonly holds: "auto" | "until-next" | "fixed";
  readonly holdFor: string;
  readonly after: string;
  readonly severity: "warning" | "critical";
  readonly late: "record" | "tell";
  readonly sites: readonly string[];
  readonly types: readonly string[];
  readonly devices: readonly string[];
  readonly without: readonly string[];
  /** key:value each. */
  readonly labels: readonly string[];
}

export const NEW_CONDITION: ConditionDraft = {
  ...{ metric: "", what: "value", is: "above", warning: "", critical: "", clear: "", severity: "warning" },
};

export const NEW_DRAFT: Draft = {
  ...{ kind: "condition", match: "all", conditions: [NEW_CONDITION], lasting: "", keep: "" },
  ...{ holds: "auto", holdFor: "", after: "", severity: "warning", late: "record" },
  ...{ sites: [], types: [], devices: [], without: [], labels: [] },
};

/** Fills the fields with a rule; null for a kind that they can't show. */
export function draftOf(spec: RuleSpec): Draft | null {
  if (spec.kind !== "condition" && spec.kind !== "silence") return null;
  const { sites = [], types = [], devices = [], without = [], labels = {} } = spec.of;
  const of = { sites, types, devices, without, labels: Object.entries(labels).map((pair) => pair.join(":")) };
  if (spec.kind === "silence")
    return { ...NEW_DRAFT, ...of, kind: "silence", severity: spec.severity, after: durationText(spec.afterMs ?? 0) };
  const { match, holds, late, forMs, keepMs } = spec;
  return {
    ...{ ...NEW_DRAFT, ...of, match, late, lasting: durationText(forMs), keep: durationText(keepMs) },
    ...(typeof holds === "number" ? { holds: "fixed", holdFor: durationText(holds) } : { holds }),
    conditions: spec.conditions.map(({ warning, critical, clear, severity, ...one }) => ({
      ...{ ...one, warning: limitText(warning), critical: limitText(critical), clear: limitText(clear) },
      severity: severity ?? "warning",
    })),
  };
}

/** What stands in the way of a rule: the field's path and why. */
export interface Fault {
  readonly at: string;
  readonly message: string;
}

/** Reads the fields: a rule, or what is wrong with it. */
export function specOf(draft: Draft): { readonly spec: RuleSpec } | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const duration = (text: string, at: string) => {
    const ms = parseDuration(text);
    if (ms === null) faults.push({ at, message: "Write a length of time: 90 s, 5 min, 2 h" });
    return ms ?? 0;
  };
  const some = (list: readonly string[]) => (list.length > 0 ? list : undefined);
  const pairs = draft.labels.map((label) => {
    const at = label.indexOf(":");
    if (at < 1 || at === label.length - 1) faults.push({ at: "labels", message: "Write a label as key:value" });
    return [label.slice(0, at), label.slice(at + 1)] as const;
  });
  const of = {
    ...{ sites: some(draft.sites), types: some(draft.types), devices: some(draft.devices) },
    ...{ without: some(draft.without), labels: pairs.length > 0 ? Object.fromEntries(pairs) : undefined },
  };
  const wanted =
    draft.kind === "silence"
      ? { kind: "silence", of, afterMs: duration(draft.after, "after") || null, severity: draft.severity }
      : {
          ...{ kind: "condition", of, match: draft.match, late: draft.late },
          ...{ forMs: duration(draft.lasting, "lasting"), keepMs: duration(draft.keep, "keep") },
          holds: draft.holds === "fixed" ? duration(draft.holdFor, "holdFor") : draft.holds,
          conditions: draft.conditions.map((one, i) => {
            const { metric, what, is, severity } = one;
            if (is === "true" || is === "false" || is === "invalid")
              return { metric, what, is, severity: severity === "critical" ? severity : undefined };
            const limit = (name: "warning" | "critical" | "clear") => {
              const value = parseLimit(one[name], is === "outside");
              if (value === null)
                faults.push({
                  at: `conditions.${i}.${name}`,
                  message: is === "outside" ? "Write two limits: 10 to 80" : "Write a number",
                });
              return value ?? undefined;
            };
            return { metric, what, is, warning: limit("warning"), critical: limit("critical"), clear: limit("clear") };
          }),
        };
  if (faults.length > 0) return { faults };
  // What is left out isn't there at all: the schema takes no undefined limits for those of a flag.
  const read = ruleSpec.safeParse(JSON.parse(JSON.stringify(wanted)));
  return read.success ? { spec: read.data } : { faults: faultsOf(read.error) };
}

const PLACES: Record<string, string> = { forMs: "lasting", keepMs: "keep", afterMs: "after", holds: "holdFor" };

function faultsOf(error: ZodError): Fault[] {
  return error.issues.map(({ path, message }) => {
    const parts = path[0] === "of" ? path.slice(1, 2) : path;
    const at = parts.join(".");
    return { at: PLACES[at] ?? at, message };
  });
}

const UNITS = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a length of time in milliseconds: "5 min", "1 h 30 min"; 0 for nothing, null for what is none. A bare number is of seconds. */
export function parseDuration(text: string): number | null {
  const said = text.trim();
  if (said === "") return 0;
  const parts = [...said.matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?\s*/gy)];
  if (parts.map(([whole]) => whole).join("") !== said) return null;
  const ms = parts.reduce(
    (sum, [, figure, unit = "s"]) => sum + Number(figure) * UNITS[(unit === "m" ? "min" : unit) as keyof typeof UNITS],
    0,
  );
  return Math.round(ms);
}

function durationText(ms: number): string {
  return ms === 0 ? "" : formatDuration(ms);
}

function limitText(limit: Limit | undefined): string {
  return limit === undefined ? "" : typeof limit === "number" ? String(limit) : `${limit[0]} to ${limit[1]}`;
}

/** Undefined for nothing, null for what is no limit. */
function parseLimit(text: string, isPair: boolean): Limit | undefined | null {
  const said = text.trim().replaceAll("−", "-");
  if (said === "") return undefined;
  const numbers = (isPair ? said.split(/\s+to\s+|\s*;\s*/) : [said]).map((one) => Number(one === "" ? NaN : one));
  if (numbers.length !== (isPair ? 2 : 1) || !numbers.every(Number.isFinite)) return null;
  return isPair ? [numbers[0]!, numbers[1]!] : numbers[0]!;
}
