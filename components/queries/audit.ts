import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { AuditRowView } from "@/server/contracts/access";
import { queryString, readJson } from "./request";

/** What to look for; null for anything. */
export interface AuditFilter {
  readonly actor: string | null;
  readonly verb: string | null;
  readonly target: string | null;
  readonly outcome: AuditRowView["outcome"] | null;
  /** RFC 3339: rows of this moment or later, and rows before it. */
  readonly from: string | null;
  readonly to: string | null;
}

/** Where the rows that match are saved from, as CSV. */
export function auditCsv(filter: AuditFilter): string {
  return `/api/v1/audit.csv${queryString(wantedOf(filter))}`;
}

function wantedOf(filter: AuditFilter): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value ?? undefined]));
}

/**
 * A page of the record, newest first. Looking at it is recorded too, so it is loaded when asked for, not by itself.
 * @param before rows older than the one with this id; null for the newest.
 */
export const auditQuery = (filter: AuditFilter, before: string | null, limit: number) =>
  queryOptions({
    queryKey: ["audit", filter, before, limit],
    queryFn: ({ signal }) =>
      readJson<{ items: AuditRowView[]; next: number | null }>(
        `/api/v1/audit${queryString({ ...wantedOf(filter), before: before ?? undefined, limit })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
