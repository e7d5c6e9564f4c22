import { queryOptions } from "@tanstack/react-query";
import type { DeviceTypesAnswer, TypeChanges } from "@/server/contracts/types";
import { patchJson, readJson } from "./request";

/** The types that devices have, and at which age their devices are stale. */
export const typesQuery = () =>
  queryOptions({
    queryKey: ["types"],
    queryFn: ({ signal }) => readJson<DeviceTypesAnswer>("/api/v1/types", signal),
    staleTime: 30_000,
  });

/** Renames a type, or says when its devices are stale. @throws RequestError: 404 when it is gone, 409 when another has the name. */
export async function saveType(id: number, changes: TypeChanges): Promise<void> {
  await patchJson(`/api/v1/types/${id}`, changes);
}
