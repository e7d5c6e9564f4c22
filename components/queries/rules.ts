import { queryOptions } from "@tanstack/react-query";
import type { AlertRule } from "@/server/contracts/rules";
import { readJson } from "./request";

const ROOT = "/api/v1/rules";

/** The first part of the keys of all that tells of alert rules. */
export const RULES = "alert rules";

/** Every alert rule. */
export const rulesQuery = () =>
  queryOptions({
    queryKey: [RULES, "list"],
    queryFn: async ({ signal }) => (await readJson<{ items: AlertRule[] }>(ROOT, signal)).items,
    refetchInterval: 5000,
  });
