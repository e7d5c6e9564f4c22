import { queryOptions } from "@tanstack/react-query";
import type { ErasuresAnswer, PersonErasure, PersonErasureBody, RemovalsAnswer } from "@/server/contracts/removals";
import { postJson, readJson } from "./request";

/** The first part of the key of what is being removed. */
export const REMOVALS = "removals";

/** Metrics and devices that are being removed; followed closely while there are any. For those who may remove. */
export const removalsQuery = (isAllowed: boolean) =>
  queryOptions({
    queryKey: [REMOVALS],
    queryFn: ({ signal }) => readJson<RemovalsAnswer>("/api/v1/removals", signal),
    enabled: isAllowed,
    refetchInterval: ({ state }) => (state.data && state.data.items.length > 0 ? 1000 : 15_000),
  });

/** The first part of the key of erasures. */
export const ERASURES = "erasures";

/** Devices that were erased, with the proof of each; followed while one isn't proven. For those who may remove. */
export const erasuresQuery = (isAllowed: boolean) =>
  queryOptions({
    queryKey: [ERASURES],
    queryFn: ({ signal }) => readJson<ErasuresAnswer>("/api/v1/erasures", signal),
    enabled: isAllowed,
    refetchInterval: ({ state }) => (state.data?.items.some((one) => one.state !== "proven") ? 2000 : 60_000),
  });

/** What erasing a person would take out; asked anew for each decision. @param person null: nothing is asked */
export const personErasureQuery = (person: string | null) =>
  queryOptions({
    queryKey: [ERASURES, "of", person],
    queryFn: ({ signal }) =>
      readJson<PersonErasure>(`/api/v1/erasures/preview?${new URLSearchParams({ person: person! })}`, signal),
    enabled: person !== null,
    gcTime: 0,
  });

/** Erases all devices of a person. @throws RequestError: 412 when they aren't those of `devices` any more. */
export function erasePerson(body: PersonErasureBody): Promise<ErasuresAnswer> {
  return postJson("/api/v1/erasures", body);
}

/** Takes messages under the name of an erased device again. */
export function allowErased(id: number): Promise<ErasuresAnswer> {
  return postJson(`/api/v1/erasures/${id}/allow`, {});
}
