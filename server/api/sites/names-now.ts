import type { NameNow } from "@/server/catalog/other-names";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import type { Matcher } from "@/server/domain/notifications/matcher";

/*
 * Rules and matchers hold the names that sites, types and metrics have now, and are written anew when one is renamed. A file or a program that was
 * written before says the old name, by which a rule would watch nothing, and no one would hear of it.
 */

/** A rule with its sites, types and metrics by the names they have now. Patterns stay as they are. */
export function specNow(spec: RuleSpec, nameNow: NameNow): RuleSpec {
  const metricNow = (metric: string) => nameNow("metric", metric);
  switch (spec.kind) {
    case "pipeline":
      return spec;
    case "condition": {
      const conditions = spec.conditions.map((one) => ({ ...one, metric: metricNow(one.metric) }));
      return { ...spec, of: selectorNow(spec.of, nameNow), conditions };
    }
    case "oddness":
      return { ...spec, of: selectorNow(spec.of, nameNow), metric: metricNow(spec.metric) };
    default:
      return { ...spec, of: selectorNow(spec.of, nameNow) };
  }
}

function selectorNow<Of extends { sites?: string[] | undefined; types?: string[] | undefined }>(
  of: Of,
  nameNow: NameNow,
): Of {
  const { sites, types } = of;
  return {
    ...of,
    ...(sites && { sites: unique(sites.map((name) => nameNow("site", name))) }),
    ...(types && { types: unique(types.map((name) => nameNow("type", name))) }),
  };
}

/** Matchers with sites, types and metrics by the names they have now. */
export function matchersNow(matchers: readonly Matcher[], nameNow: NameNow): Matcher[] {
  return matchers.map((one) => {
    const { field, values } = one;
    if (field !== "site" && field !== "type" && field !== "metric") return one;
    return { ...one, values: unique(values.map((name) => nameNow(field, name))) };
  });
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
