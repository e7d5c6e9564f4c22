import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Alert, AlertSummary, AlertWithEvents, ListedAlert } from "@/server/contracts/alerts";
import type { AlertMessages } from "@/server/contracts/notifications";
import { postJson, queryString, readJson } from "./request";

const ROOT = "/api/v1/alerts";
/** The room of alerts says when they change; this is for what it doesn't tell: figures between two changes, and an acknowledgement that runs out. */
const AGAIN_MS = 15_000;

/** The first part of the keys of all that tells of alerts, which the shell keeps up to date. */
export const ALERTS = "alerts";

/** Which alerts are wanted. */
export interface WantedAlerts {
  readonly state: "open" | "ended" | "all";
  readonly acknowledged?: "yes" | "no" | undefined;
  readonly severity?: string | undefined;
  readonly site?: string | undefined;
  readonly rule?: string | undefined;
  readonly device?: string | undefined;
  /** Joined by commas. */
  readonly devices?: string | undefined;
  /** none, or the id of the one that they are beneath. */
  readonly parent?: string | undefined;
  /** RFC 3339. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly order?: "worst" | undefined;
  readonly limit: number;
}

/** A part of the alerts; `next` is null where these are all. */
export interface AlertsPage {
  readonly items: readonly ListedAlert[];
  readonly next: string | null;
}

/** Alerts, those decided last first, or the worst. */
export const alertsQuery = (wanted: WantedAlerts) =>
  queryOptions({
    queryKey: [ALERTS, "list", wanted],
    queryFn: ({ signal }) => readJson<AlertsPage>(`${ROOT}${queryString({ ...wanted })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: AGAIN_MS,
  });

/** The most open alerts that a page lists; there are more where the answer has a next part. */
export const MOST_OPEN = 500;

/** All that is firing, in figures, and which channels can't be used. */
export const alertSummaryQuery = () =>
  queryOptions({
    queryKey: [ALERTS, "summary"],
    queryFn: ({ signal }) => readJson<AlertSummary>("/api/v1/alert-summary", signal),
    refetchInterval: AGAIN_MS,
  });

/** One alert, with what happened to it. */
export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: [ALERTS, "one", id],
    queryFn: ({ signal }) => readJson<AlertWithEvents>(`${ROOT}/${encodeURIComponent(id)}`, signal),
    refetchInterval: AGAIN_MS,
  });

/** Who was told of an alert, by which channel, and what the other side answered. */
export const alertMessagesQuery = (id: string) =>
  queryOptions({
    queryKey: [ALERTS, "messages", id],
    queryFn: ({ signal }) => readJson<AlertMessages>(`${ROOT}/${encodeURIComponent(id)}/messages`, signal),
    refetchInterval: AGAIN_MS,
  });

/** Says that one looks after an alert. @param until RFC 3339; null: until it is over. @throws RequestError: 409 when it is over. */
export function acknowledgeAlert(id: string, said: { note: string | null; until: string | null }): Promise<Alert> {
  return postJson(`${ROOT}/${encodeURIComponent(id)}/acknowledge`, said);
}

/** Takes that back. @throws RequestError: 409 when nobody had, or it is over. */
export function unacknowledgeAlert(id: string): Promise<Alert> {
  return postJson(`${ROOT}/${encodeURIComponent(id)}/unacknowledge`, {});
}
