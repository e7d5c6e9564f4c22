import type { RetentionAnswer, RetentionEstimate, RetentionRuleBody } from "@/server/contracts/retention";
import { counted } from "@/server/domain/counted";
import type { Kept } from "@/server/domain/retention";

/** What each kind is called, and what it is for. */
export const KINDS: Record<Kept, { readonly title: string; readonly about: string }> = {
  raw: { title: "Readings", about: "Every value as it was sent" },
  minutes: { title: "Minute rollups", about: "Count, sum, min, max, first and last of each minute" },
  hours: { title: "Hour rollups", about: "The same of each hour: what charts of months and years show" },
};

/** What else is kept, by what the server calls it. */
export const OTHERS: Record<RetentionAnswer["others"][number]["what"], string> = {
  messages: "Messages in the archive",
  deadLetters: "Dead letters",
  log: "Event log",
};

/** By what a rule selects, for people. */
export const SELECTED: Record<RetentionRuleBody["selects"], { readonly title: string; readonly example: string }> = {
  metric: { title: "Metric", example: "vibration.*" },
  type: { title: "Type of devices", example: "press" },
  site: { title: "Site", example: "Plant 2" },
};

/** "Metric vibration.*" */
export function selectedWords({ selects, pattern }: Pick<RetentionRuleBody, "selects" | "pattern">): string {
  return `${SELECTED[selects].title} ${pattern}`;
}

/** Says what a rule will remove. */
export function estimateWords({ readings, before }: Pick<RetentionEstimate, "readings" | "before">): string {
  const day = (time: string) => time.slice(0, 10);
  const parts = [
    ...(before.raw === null || readings === 0
      ? []
      : [`${readings === null ? "all readings" : counted(readings, "reading")} from before ${day(before.raw)}`]),
    ...(before.minutes === null ? [] : [`minutes from before ${day(before.minutes)}`]),
    ...(before.hours === null ? [] : [`hours from before ${day(before.hours)}`]),
  ];
  if (parts.length === 0)
    return before.raw === null ? "It removes nothing." : `Nothing stored is of before ${day(before.raw)} now.`;
  return `In ten minutes a job begins to remove ${new Intl.ListFormat("en").format(parts)}, which can’t be undone.`;
}
