import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Alert, AlertWithEvents } from "@/server/contracts/alerts";
import type { AlertMessages } from "@/server/contracts/notifications";
import { postJson, queryString, readJson } from "./request";

const ROOT = "/api/v1/alerts";
/** Alerts have no room of their own: what is open is asked for this often. */
const OPEN_MS = 2000;
const ENDED_MS = 10_000;

/** The first part of the keys of all that tells of alerts. */
export const ALERTS = "alerts";

/** Which alerts are wanted. */
export interface WantedAlerts {
  readonly state: "open" | "ended" | "all";
  readonly acknowledged?: "yes" | "no" | undefined;
  readonly severity?: string | undefined;
  readonly site?: string | undefined;
  readonly rule?: string | undefined;
  readonly device?: string | undefined;
  readonly limit: number;
}

/** A part of the alerts; `next` is null where these are all. */
export interface AlertsPage {
  readonly items: readonly Alert[];
  readonly next: string | null;
}

/** Alerts, those decided last first. */
export const alertsQuery = (wanted: WantedAlerts) =>
  queryOptions({
    queryKey: [ALERTS, "list", wanted],
    queryFn: ({ signal }) => readJson<AlertsPage>(`${ROOT}${queryString({ ...wanted })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: wanted.state === "ended" ? ENDED_MS : OPEN_MS,
  });

/** The most open alerts that a page lists; there are more where the answer has a next part. */
export const MOST_OPEN = 500;

/** All that is firing. */
export const openAlertsQuery = () => alertsQuery({ state: "open", limit: MOST_OPEN });

/** One alert, with what happened to it. */
export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: [ALERTS, "one", id],
    queryFn: ({ signal }) => readJson<AlertWithEvents>(`${ROOT}/${encodeURIComponent(id)}`, signal),
    refetchInterval: OPEN_MS,
  });

/** Who was told of an alert, by which channel, and what the other side answered. */
export const alertMessagesQuery = (id: string) =>
  queryOptions({
    queryKey: [ALERTS, "messages", id],
    queryFn: ({ signal }) => readJson<AlertMessages>(`${ROOT}/${encodeURIComponent(id)}/messages`, signal),
    refetchInterval: 5000,
  });

/** Says that one looks after an alert. @param until RFC 3339; null: until it is over. @throws RequestError: 409 when it is over. */
export function acknowledgeAlert(id: string, said: { note: string | null; until: string | null }): Promise<Alert> {
  return postJson(`${ROOT}/${encodeURIComponent(id)}/acknowledge`, said);
}

/** Takes that back. @throws RequestError: 409 when nobody had, or it is over. */
export function unacknowledgeAlert(id: string): Promise<Alert> {
  return postJson(`${ROOT}/${encodeURIComponent(id)}/unacknowledge`, {});
}
