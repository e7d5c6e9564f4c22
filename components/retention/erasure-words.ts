import type { ErasureView, PersonErasure } from "@/server/contracts/removals";
import { counted } from "@/server/domain/counted";

/** What an erased device is called: by its name until the proof, then by the erasure's number alone. */
export function erasureTitle({ id, name }: Pick<ErasureView, "id" | "name">): string {
  return name ?? `Erasure ${id}`;
}

/** How far an erasure is, in a sentence. */
export function erasureWords({ state, stores, readings }: Pick<ErasureView, "state" | "stores" | "readings">): string {
  if (state === "erasing") return "Being erased, store by store";
  const left = stores.filter((one) => one.left !== 0);
  if (state === "waiting")
    return `Still found in ${left.map(({ store }) => store).join(", ")}: erased again each minute`;
  const erased = stores.reduce((sum, one) => sum + one.erased, 0);
  return `Nothing found in ${counted(stores.length, "store")}; ${counted(readings, "reading")} and ${erased === 1 ? "1 other thing" : `${erased.toLocaleString("en")} other things`} taken out`;
}

/** How far erasures are that were asked for together. */
export function requestWords(erasures: readonly Pick<ErasureView, "state">[]): string {
  const proven = erasures.filter(({ state }) => state === "proven").length;
  const all = counted(erasures.length, "device");
  return proven === erasures.length ? `${all} of one person, all proven` : `${all} of one person, ${proven} proven`;
}

/** What erasing a person would take out, in a sentence or two. */
export function personWords({ devices, sites, readings }: PersonErasure): string {
  const theirs = sites.length === 0 ? "" : ` ${sites.join(", ")} ${sites.length === 1 ? "loses" : "lose"} the name.`;
  if (devices.length === 0) return "No device is theirs.";
  const stored = readings === null ? "all their readings" : counted(readings, "reading");
  return `${counted(devices.length, "device")} with ${stored} ${devices.length === 1 ? "is" : "are"} erased from every store, with a proof of each.${theirs}`;
}

/** What became of messages that came since. */
export function droppedWords({ dropped, allowedAt }: Pick<ErasureView, "dropped" | "allowedAt">): string {
  const since = dropped === 0 ? "No message has come since" : `${counted(dropped, "message")} dropped since`;
  return allowedAt === null ? since : `${since}; taken again`;
}
