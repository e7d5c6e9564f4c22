import type { Room } from "@/server/contracts/live";
import type { Sites } from "@/server/domain/access";
import { isName } from "@/server/domain/terms";

const FIXED: readonly string[] = ["overview", "health", "devices"];

/** The room of this name, or null if there is none such. */
export function toRoom(name: unknown): Room | null {
  if (typeof name !== "string") return null;
  if (FIXED.includes(name)) return name as Room;
  return name.startsWith("device:") && isName(name.slice("device:".length)) ? (name as Room) : null;
}

/**
 * Those who watch a room and see the same sites: `devices` of all sites, `devices@1,3` of these alone. Each has frames and numbers
 * of its own, so that nothing of a hidden device, not even how much there is of it, is in them.
 */
export interface Audience {
  readonly room: Room;
  readonly sites: Sites;
}

/** An audience's key; no name of a room holds an `@`. */
export function keyOf({ room, sites }: Audience): string {
  return sites === "all" ? room : `${room}@${sites.join(",")}`;
}

/** Reads what {@link keyOf} wrote; null for anything else. */
export function audienceOf(key: string): Audience | null {
  const [name = "", ids] = key.split("@", 2);
  const room = toRoom(name);
  return room && { room, sites: ids === undefined ? "all" : ids.split(",").map(Number) };
}

/** True for rooms that tell of devices one by one. */
export function isOfDevices(room: Room): boolean {
  return room === "devices" || room.startsWith("device:");
}
