import type { ErasureView } from "@/server/contracts/removals";
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

/** What became of messages that came since. */
export function droppedWords({ dropped, allowedAt }: Pick<ErasureView, "dropped" | "allowedAt">): string {
  const since = dropped === 0 ? "No message has come since" : `${counted(dropped, "message")} dropped since`;
  return allowedAt === null ? since : `${since}; taken again`;
}
