import { headers } from "next/headers";
import { cache } from "react";
import { answerFor } from "@/server/api/runtime";
import type { VerbName } from "@/server/api/verbs";
import type { Me } from "@/server/contracts/access";

/** The time the first HTML waits for an answer, in milliseconds. */
const PATIENCE_MS = 300;

/** An answer to whoever asks for the page, to be in its first HTML; null when there is none in time. */
export async function firstAnswer<T>(verb: VerbName, address: string): Promise<T | null> {
  return answerFor<T>(verb, address, PATIENCE_MS, await headers());
}

/** Who asks for the page: asked once for all parts of it. */
export const firstMe = cache(() => firstAnswer<Me>("getMe", "/api/v1/me"));

/** As {@link firstAnswer}, of what belongs to all sites: who sees some alone isn't asked for it, as that would be a refusal on record. */
export async function firstOfAllSites<T>(verb: VerbName, address: string): Promise<T | null> {
  return (await firstMe())?.everywhere.includes("view") ? firstAnswer<T>(verb, address) : null;
}
