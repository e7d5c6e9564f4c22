import type { Room } from "@/server/contracts/live";
import { isName } from "@/server/domain/terms";

const FIXED: readonly string[] = ["overview", "health", "devices"];

/** The room of this name, or null if there is none such. */
export function toRoom(name: unknown): Room | null {
  if (typeof name !== "string") return null;
  if (FIXED.includes(name)) return name as Room;
  return name.startsWith("device:") && isName(name.slice("device:".length)) ? (name as Room) : null;
}
