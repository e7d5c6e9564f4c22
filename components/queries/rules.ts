import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { AlertRule, ImportedRules, RuleEpisodes, RuleMatches, RuleVersions } from "@/server/contracts/rules";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { deleteJson, patchJson, postJson, queryString, readJson } from "./request";

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

/** How a file of rules is taken. */
export interface ImportOptions {
  readonly dryRun: boolean;
  readonly others: "keep" | "remove";
}

/** Takes a file of rules, or says what it would do. @throws RequestError: 400 with what of it isn't right. */
export function importRules(file: unknown, { dryRun, others }: ImportOptions): Promise<ImportedRules> {
  return postJson(`${RULES_FILE}${queryString({ dryRun: String(dryRun), others })}`, file);
}

/** What a file of rules would do. Nothing of it is asked again by itself: it is a file that somebody chose. */
export const rulesFileQuery = (file: File, others: ImportOptions["others"]) =>
  queryOptions({
    queryKey: [RULES, "file", file.name, file.lastModified, file.size, others],
    queryFn: async () => {
      let content: unknown;
      try {
        content = JSON.parse(await file.text());
      } catch {
        throw new Error("The file is no JSON: export the rules to see its shape.");
      }
      return importRules(content, { dryRun: true, others });
    },
    placeholderData: keepPreviousData,
    staleTime: 0,
    retry: false,
  });
