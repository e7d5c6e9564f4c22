import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { AuditRowView } from "@/server/contracts/access";
import { queryString, readJson } from "./request";

/** What to look for; null for anything. */
export interface AuditFilter {
  readonly actor: string | null;
  readonly verb: string | null;
  readonly target: string | null;
  readonly outcome: AuditRowView["outcome"] | null;
}

/**
 * A page of the record, newest first. Looking at it is recorded too, so it is loaded when asked for, not by itself.
 * @param before rows older than the one with this id; null for the newest.
 */
export const auditQuery = (filter: AuditFilter, before: string | null, limit: number) =>
  queryOptions({
    queryKey: ["audit", filter, before, limit],
    queryFn: ({ signal }) => {
      const wanted = Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value ?? undefined]));
      return readJson<{ items: AuditRowView[]; next: number | null }>(
        `/api/v1/audit${queryString({ ...wanted, before: before ?? undefined, limit })}`,
        signal,
      );
    },
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
