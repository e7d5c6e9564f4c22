import { queryOptions } from "@tanstack/react-query";
import type { AlertRule, RuleEpisodes, RuleMatches, RuleVersions } from "@/server/contracts/rules";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { deleteJson, patchJson, postJson, readJson } from "./request";

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

/** What a rule watches. @param spec null: nothing is asked */
export const ruleMatchesQuery = (spec: RuleSpec | null) =>
  queryOptions({
    queryKey: [RULES, "matches", spec],
    queryFn: () => postJson<RuleMatches>("/api/v1/rule-matches", { spec }),
    enabled: spec !== null,
    staleTime: 60_000,
  });

/** How often each rule fired on each of the last 30 days. */
export const ruleEpisodesQuery = () =>
  queryOptions({
    queryKey: [RULES, "episodes"],
    queryFn: async ({ signal }) => (await readJson<RuleEpisodes>("/api/v1/rule-episodes", signal)).items,
    refetchInterval: 60_000,
  });

/** What a rule was before, newest first. */
export const ruleVersionsQuery = (id: number) =>
  queryOptions({
    queryKey: [RULES, "versions", id],
    queryFn: async ({ signal }) => (await readJson<RuleVersions>(`${ROOT}/${id}/versions`, signal)).items,
  });

/** What a person says of a rule. */
export type RuleSettings = Pick<AlertRule, "name" | "enabled" | "spec" | "note" | "runbook">;

/** @throws RequestError: 400 with what of it isn't right, 409 when another has the name. */
export function addRule(settings: RuleSettings): Promise<AlertRule> {
  return postJson(ROOT, settings);
}

/** Changes a rule; what is left out stays. @param changes with the version that was seen. @throws RequestError: 409 when it is another by now. */
export function changeRule(id: number, changes: Partial<RuleSettings> & { version: number }): Promise<AlertRule> {
  return patchJson(`${ROOT}/${id}`, changes);
}

/** @throws RequestError: 404 when it is there no more. */
export async function deleteRule(id: number): Promise<void> {
  await deleteJson(`${ROOT}/${id}`);
}

/** Where all rules are to be had as one file. */
export const RULES_FILE = "/api/v1/rules-file";

/** What became of the rules of a file, by their names. */
export interface ImportedRules {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly same: readonly string[];
}

/** Takes a file of rules. @throws RequestError: 400 with what of it isn't right. */
export function importRules(file: unknown): Promise<ImportedRules> {
  return postJson(RULES_FILE, file);
}
