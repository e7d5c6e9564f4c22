import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { KeyView, MadeKey } from "@/server/contracts/access";
import type {
  GuessedTemplates,
  MappingPreview,
  NewMappingBody,
  NewSourceBody,
  PreviewBody,
  SourceChanges,
  SourceDetail,
  SourceMappingView,
  SourcePayload,
  SourceSample,
  SourcesAnswer,
  SourceTemplatesAnswer,
  SourceView,
} from "@/server/contracts/sources";
import { toSegment } from "@/server/domain/segment";
import { deleteJson, patchJson, postJson, readJson } from "./request";

const ROOT = "/api/v1/sources";
const addressOf = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;

/** The first part of the keys of all that changes with a source. */
export const SOURCES = "sources";

/** Every source with its counts. */
export const sourcesQuery = () =>
  queryOptions({
    queryKey: [SOURCES, "list"],
    queryFn: ({ signal }) => readJson<SourcesAnswer>(ROOT, signal),
    refetchInterval: 3000,
  });

/** One source in full. @param everyMs how often it is asked for. */
export const sourceQuery = (name: string, everyMs = 3000) =>
  queryOptions({
    queryKey: [SOURCES, "one", name],
    queryFn: ({ signal }) => readJson<SourceDetail>(addressOf(name), signal),
    refetchInterval: everyMs,
  });

/** What senders there are templates for, and where they find the MQTT listener. */
export const templatesQuery = () =>
  queryOptions({
    queryKey: ["source templates"],
    queryFn: ({ signal }) => readJson<SourceTemplatesAnswer>("/api/v1/source-templates", signal),
    staleTime: Infinity,
  });

/** The last payloads of a source, newest first. */
export const samplesQuery = (name: string, everyMs = 5000) =>
  queryOptions({
    queryKey: [SOURCES, "samples", name],
    queryFn: async ({ signal }) =>
      (await readJson<{ items: SourceSample[] }>(`${addressOf(name)}/samples`, signal)).items,
    refetchInterval: everyMs,
  });

/** Versions of a source's mapping, newest first. */
export const mappingsQuery = (name: string) =>
  queryOptions({
    queryKey: [SOURCES, "mappings", name],
    queryFn: async ({ signal }) =>
      (await readJson<{ items: SourceMappingView[] }>(`${addressOf(name)}/mappings`, signal)).items,
  });

/** Keys of a source, newest first. */
export const sourceKeysQuery = (name: string) =>
  queryOptions({
    queryKey: [SOURCES, "keys", name],
    queryFn: async ({ signal }) => (await readJson<{ items: KeyView[] }>(`${addressOf(name)}/keys`, signal)).items,
    refetchInterval: 15_000,
  });

/** What a mapping makes of payloads, or of a source's samples; null asks nothing. A mapping that isn't one is refused: 400 with what and where. */
export const mappingPreviewQuery = (body: PreviewBody | null) =>
  queryOptions({
    queryKey: ["mapping preview", body],
    queryFn: async () => (await postJson<MappingPreview>("/api/v1/source-preview", body)).items,
    enabled: body !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 10_000,
    gcTime: 30_000,
  });

/** Templates that a payload looks like, the likeliest first; null asks nothing. */
export const guessQuery = (payload: SourcePayload | null) =>
  queryOptions({
    queryKey: ["template guess", payload],
    queryFn: async () => (await postJson<GuessedTemplates>("/api/v1/source-guess", { payload })).items,
    enabled: payload !== null,
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: 60_000,
  });

/** Looks for a device until it is there: the worker takes its first message a moment after the door. */
export const newDeviceQuery = (device: string) =>
  queryOptions({
    queryKey: [SOURCES, "new device", device],
    queryFn: async ({ signal }) => {
      await readJson(`/api/v1/devices/${toSegment(device)}`, signal);
      return true;
    },
    retry: false,
    refetchInterval: ({ state }) => (state.data ? false : 1000),
  });

/** @throws RequestError: 409 when one of its name is there, 400 with what of it isn't right. */
export function makeSource(body: NewSourceBody): Promise<SourceView> {
  return postJson(ROOT, body);
}

/** @throws RequestError: 409 when somebody else changed it meanwhile. */
export function changeSource(name: string, changes: SourceChanges): Promise<SourceView> {
  return patchJson(addressOf(name), changes);
}

/** @throws RequestError */
export async function removeSource(name: string): Promise<void> {
  await deleteJson(addressOf(name));
}

/** Makes a new version of a mapping the current one. @throws RequestError: 409 when another version came between. */
export function saveMapping(name: string, body: NewMappingBody): Promise<SourceMappingView> {
  return postJson(`${addressOf(name)}/mappings`, body);
}

/** @throws RequestError: 409 when two of its keys work. */
export function makeSourceKey(name: string): Promise<MadeKey> {
  return postJson(`${addressOf(name)}/keys`, {});
}

/** Fetches the address that a sender wants to be fetched before it sends. @throws RequestError */
export async function confirmHandshake(name: string, id: number): Promise<void> {
  await postJson(`${addressOf(name)}/handshakes/${id}/confirm`, {});
}
