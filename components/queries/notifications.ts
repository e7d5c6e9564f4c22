import { queryOptions } from "@tanstack/react-query";
import type {
  ChannelBody,
  ChannelChanges,
  ChannelTest,
  ChannelView,
  MaintenanceBody,
  MaintenanceChanges,
  MaintenanceView,
  RouteBody,
  RouteChanges,
  RouteCheck,
  RouteCheckBody,
  RouteView,
  SilenceBody,
  SilencePreview,
  SilenceView,
} from "@/server/contracts/notifications";
import type { Matcher } from "@/server/domain/notifications/matcher";
import { deleteJson, patchJson, postJson, readJson } from "./request";

/** The first part of the keys of all that says who is told of alerts. */
export const NOTIFICATIONS = "notifications";

const list = <T>(what: string, everyMs: number) =>
  queryOptions({
    queryKey: [NOTIFICATIONS, what],
    queryFn: async ({ signal }) => (await readJson<{ items: T[] }>(`/api/v1/${what}`, signal)).items,
    refetchInterval: everyMs,
  });

/** Every channel and how it does, by name. */
export const channelsQuery = () => list<ChannelView>("channels", 5000);

/** Who is told of what, in order. */
export const routesQuery = () => list<RouteView>("routes", 15_000);

/** Silences, those that end last first; ended ones of 30 days too. */
export const silencesQuery = () => list<SilenceView>("silences", 5000);

/** Windows that come again. */
export const maintenanceQuery = () => list<MaintenanceView>("maintenance", 15_000);

/** What matchers cover: open alerts, and those of the last week; null asks nothing. */
export const silencePreviewQuery = (matchers: readonly Matcher[] | null) =>
  queryOptions({
    queryKey: [NOTIFICATIONS, "preview", matchers],
    queryFn: () => postJson<SilencePreview>("/api/v1/silence-preview", { matchers }),
    enabled: matchers !== null && matchers.length > 0,
    retry: false,
    staleTime: 60_000,
  });

/** Who would be told of an alert like this; null asks nothing. */
export const routeCheckQuery = (alert: RouteCheckBody | null) =>
  queryOptions({
    queryKey: [NOTIFICATIONS, "route check", alert],
    queryFn: () => postJson<RouteCheck>("/api/v1/route-check", alert),
    enabled: alert !== null,
    retry: false,
  });

/** @throws RequestError: 400 with what of it isn't right, by place; 409 when the name is taken. */
export function makeChannel(body: ChannelBody): Promise<ChannelView> {
  return postJson("/api/v1/channels", body);
}

/** What is left out stays, secrets too. @throws RequestError: 409 when somebody else changed it meanwhile. */
export function changeChannel(id: number, changes: ChannelChanges): Promise<ChannelView> {
  return patchJson(`/api/v1/channels/${id}`, changes);
}

/** @throws RequestError: 409 while a route names it. */
export async function removeChannel(id: number): Promise<void> {
  await deleteJson(`/api/v1/channels/${id}`);
}

/** Sends a test message. @returns what the other side said; that it said no is no error. */
export function testChannel(id: number): Promise<ChannelTest> {
  return postJson(`/api/v1/channels/${id}/test`, {});
}

/** @throws RequestError: 400 with what of it isn't right, by place; 409 when the name is taken. */
export function makeRoute(body: RouteBody): Promise<RouteView> {
  return postJson("/api/v1/routes", body);
}

/** What is left out stays. @throws RequestError: 409 when somebody else changed it meanwhile. */
export function changeRoute(id: number, changes: RouteChanges): Promise<RouteView> {
  return patchJson(`/api/v1/routes/${id}`, changes);
}

/** @throws RequestError: 404 when it is there no more. */
export async function removeRoute(id: number): Promise<void> {
  await deleteJson(`/api/v1/routes/${id}`);
}

/** @throws RequestError: 400 with what of it isn't right, 403 where it covers more than the caller's sites. */
export function makeSilence(body: SilenceBody): Promise<SilenceView> {
  return postJson("/api/v1/silences", body);
}

/** Has a silence end at another time. @throws RequestError: 409 when it has ended. */
export function extendSilence(id: number, endsAt: string): Promise<SilenceView> {
  return patchJson(`/api/v1/silences/${id}`, { endsAt });
}

/** @throws RequestError: 409 when it has ended. */
export function endSilence(id: number): Promise<SilenceView> {
  return deleteJson(`/api/v1/silences/${id}`);
}

/** @throws RequestError: 400 with what of it isn't right, by place; 409 when the name is taken. */
export function makeMaintenance(body: MaintenanceBody): Promise<MaintenanceView> {
  return postJson("/api/v1/maintenance", body);
}

/** What is left out stays. @throws RequestError: 409 when somebody else changed it meanwhile. */
export function changeMaintenance(id: number, changes: MaintenanceChanges): Promise<MaintenanceView> {
  return patchJson(`/api/v1/maintenance/${id}`, changes);
}

/** @throws RequestError: 404 when it is there no more. */
export async function removeMaintenance(id: number): Promise<void> {
  await deleteJson(`/api/v1/maintenance/${id}`);
}
