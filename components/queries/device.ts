import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Problem } from "@/server/contracts/common";
import type { DeadLettersAnswer } from "@/server/contracts/dead-letters";
import type {
  DeviceChanges,
  DeviceChangesOfMany,
  DeviceChangesOutcome,
  DeviceDetail,
  DevicesAnswer,
  MessagesAnswer,
} from "@/server/contracts/devices";
import type { Job } from "@/server/contracts/jobs";
import type { FrameData } from "@/server/contracts/live";
import { toSegment } from "@/server/domain/segment";
import { applyToDevice } from "../live/apply";
import type { LiveClient } from "../live/client";
import { deleteJson, patchJson, postJson, queryString, readJson, RequestError } from "./request";

const addressOf = (id: string) => `/api/v1/devices/${toSegment(id)}`;

/** One device in full; its own room keeps its values up to date. */
export const deviceQuery = (live: LiveClient, id: string) =>
  queryOptions({
    queryKey: ["device", id],
    queryFn: ({ signal }) =>
      live.snapshot(`device:${id}`, () => readJson<DeviceDetail>(addressOf(id), signal), applyToDetail),
  });

/** What frames change of a device. */
type FrameChanged =
  | "values"
  | "state"
  | "goneAt"
  | "lastSeen"
  | "lastEventTime"
  | "messages"
  | "retiredAt"
  | "returnedAt";
/** A device without what frames change. */
export type DescribedDevice = Omit<DeviceDetail, FrameChanged>;

/** The same device without what frames change of it: whoever shows nothing else is not drawn again with each of them. */
export const describedDeviceQuery = (live: LiveClient, id: string) =>
  queryOptions({ ...deviceQuery(live, id), select: described });

function described(device: DeviceDetail): DescribedDevice {
  const { values, state, goneAt, lastSeen, lastEventTime, messages, retiredAt, returnedAt, ...rest } = device;
  return rest;
}

/** Applies a frame to a device in full: its values change, what people wrote about it stays. */
export function applyToDetail(state: DeviceDetail, data: FrameData): DeviceDetail {
  const next = applyToDevice(state, data);
  return next === state ? state : { ...state, ...next };
}

/** A page of a device's messages, exactly as received; the newest ones are looked for again and again. */
export const messagesQuery = (id: string, limit: number, cursor: string | null) =>
  queryOptions({
    queryKey: ["messages", id, limit, cursor],
    queryFn: ({ signal }) =>
      readJson<MessagesAnswer>(`${addressOf(id)}/messages${queryString({ limit, cursor: cursor ?? "" })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: cursor === null ? 5000 : false,
  });

/** A page of a device's dead letters, newest first, whatever has become of them. */
export const deviceDeadLettersQuery = (device: string, limit: number, cursor: string | null) =>
  queryOptions({
    queryKey: ["dead letters of", device, limit, cursor],
    queryFn: ({ signal }) =>
      readJson<DeadLettersAnswer>(
        `/api/v1/dead-letters${queryString({ device, status: "all", limit, cursor: cursor ?? "" })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: cursor === null ? 15_000 : false,
  });

/** Names of all sites there are. */
export const sitesQuery = () =>
  queryOptions({
    queryKey: ["sites"],
    queryFn: async ({ signal }) =>
      (await readJson<DevicesAnswer>(`/api/v1/devices${queryString({ limit: 1 })}`, signal)).sites,
    staleTime: 60_000,
  });

/** The outcome of saving: done, or what stood in the way. */
export type Saved =
  | { readonly kind: "saved"; readonly device: DeviceDetail }
  /** Someone else changed it meanwhile; this is what is there now. */
  | {
      readonly kind: "changed";
      readonly current: Pick<DeviceDetail, "site" | "type" | "notes" | "updatedAt">;
    }
  /** Fields that can't be as they are, by name. */
  | { readonly kind: "refused"; readonly errors: Readonly<Record<string, string>> };

/**
 * Saves what was changed of a device as it was at `updatedAt`; null: whatever it is now.
 * @throws RequestError when nobody knows whether it was saved.
 */
export async function saveProperties(id: string, changes: DeviceChanges, updatedAt: string | null): Promise<Saved> {
  try {
    const device = await patchJson<DeviceDetail>(
      addressOf(id),
      changes,
      updatedAt === null ? {} : { "if-match": `"${updatedAt}"` },
    );
    return { kind: "saved", device };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const problem = error.problem as (Problem & { current?: Extract<Saved, { kind: "changed" }>["current"] }) | null;
    if (error.status === 412 && problem?.current) return { kind: "changed", current: problem.current };
    if (error.status === 400 && problem?.errors)
      return { kind: "refused", errors: Object.fromEntries(problem.errors.map(({ at, message }) => [at, message])) };
    throw error;
  }
}

/** Changes several devices at once; what becomes of each is in the answer. @throws RequestError when nothing was changed. */
export function changeDevices(
  devices: readonly string[],
  changes: DeviceChangesOfMany["changes"],
): Promise<DeviceChangesOutcome> {
  return postJson("/api/v1/device-changes", { devices, changes });
}

/** Deletes a device with its readings, or erases it from every store. @throws RequestError: 404 when it is gone already. */
export function deleteDevice(id: string, erases: boolean): Promise<Job> {
  return deleteJson(`${addressOf(id)}${erases ? "?erase=true" : ""}`);
}
