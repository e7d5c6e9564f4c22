"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { rulesQuery } from "../queries/rules";

/** What rules go by now, as far as it is known, by their ids. */
export function useSpecs(): (rule: number) => RuleSpec | undefined {
  const { data: rules } = useQuery(rulesQuery());
  return useMemo(() => {
    const specs = new Map(rules?.map(({ id, spec }) => [id, spec]));
    return (rule) => specs.get(rule);
  }, [rules]);
}
