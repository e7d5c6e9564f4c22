import { queryOptions } from "@tanstack/react-query";
import type { Alert } from "@/server/contracts/alerts";
import type { WhyAnswer } from "@/server/contracts/why";
import { queryString, readJson } from "./request";

/** What is asked: why a rule told of a device at a moment, or didn't. */
export interface WhyAsked {
  readonly rule: string;
  /** Left out: the rule is about the pipeline. */
  readonly device?: string | undefined;
  readonly metric?: string | undefined;
  /** RFC 3339; left out: the last hour. */
  readonly at?: string | undefined;
}

/** The page that answers; what isn't known yet is chosen there. */
export function whyAddress({ rule, device, metric, at }: Partial<WhyAsked>): string {
  return `/alerts/why${queryString({ rule, device, metric, at })}`;
}

/** The page that explains an alert; null: it is of a whole site. */
export function whyOfAlert({ rule, device, subject, metric, condition, firedAt }: Alert): string | null {
  // Of the pipeline: an engine, a source, or all of it.
  if (device === null) return subject === null ? null : whyAddress({ rule: String(rule.id), at: firedAt });
  // One of several conditions is of no series.
  const series = condition === null ? (metric ?? undefined) : undefined;
  return whyAddress({ rule: String(rule.id), device, metric: series, at: firedAt });
}

/** Reasons that may soon be others. */
const GOES_ON: ReadonlySet<string> = new Set([
  "fired",
  "already-firing",
  "pending",
  "within-limit",
  "not-in-force",
  "late",
]);
const GOES_ON_MS = 5000;

/** The answer. @param zone an IANA name, of the times in it */
export const whyQuery = (asked: WhyAsked | null, zone: string) =>
  queryOptions({
    queryKey: ["why", asked, zone],
    queryFn: ({ signal }) => readJson<WhyAnswer>(`/api/v1/alerts/why${queryString({ ...asked, zone })}`, signal),
    enabled: asked !== null,
    refetchInterval: ({ state: { data } }) => (data && GOES_ON.has(data.reason.kind) ? GOES_ON_MS : false),
  });
