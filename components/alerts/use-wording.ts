"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { metricsQuery } from "../queries/metrics";
import { rulesQuery } from "../queries/rules";

/** What alerts are worded with: the units of metrics, and what rules go by. */
export interface Wording {
  readonly unitOf: (metric: string | null) => string;
  readonly specOf: (rule: number) => RuleSpec | undefined;
}

/** Units and rules as far as they are known. */
export function useWording(): Wording {
  const { data: metrics } = useQuery(metricsQuery());
  const { data: rules } = useQuery(rulesQuery());
  return useMemo(() => {
    const units = new Map(metrics?.items.map(({ name, unit }) => [name, unit ?? ""]));
    const specs = new Map(rules?.map(({ id, spec }) => [id, spec]));
    return { unitOf: (metric) => units.get(metric ?? "") ?? "", specOf: (rule) => specs.get(rule) };
  }, [metrics, rules]);
}
