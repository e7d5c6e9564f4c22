import type { Room } from "@/server/contracts/live";
import type { Sites } from "@/server/domain/access";
import { isName } from "@/server/domain/terms";

const FIXED: readonly string[] = ["overview", "health", "devices", "alerts"];

/** The room of this name, or null if there is none such. */
export function toRoom(name: unknown): Room | null {
  if (typeof name !== "string") return null;
  if (FIXED.includes(name)) return name as Room;
  return name.startsWith("device:") && isName(name.slice("device:".length)) ? (name as Room) : null;
}

/**
 * Those who watch a room and see the same of it: `devices` of all sites, `devices@1,3` of these alone, `health@details`. Each has frames and numbers
 * of its own, so that nothing of a hidden device, not even how much there is of it, is in them.
 */
export interface Audience {
  readonly room: Room;
  readonly sites: Sites;
  /** Whether they are told the details of health; elsewhere there are none. */
  readonly details: boolean;
}

const WITH_DETAILS = "details";

/** An audience's key; no name of a room holds an `@`. */
export function keyOf({ room, sites, details }: Audience): string {
  if (details && isOfAllSites(room) && sites === "all") return `${room}@${WITH_DETAILS}`;
  return sites === "all" ? room : `${room}@${sites.join(",")}`;
}

/** Reads what {@link keyOf} wrote; null for anything else. */
export function audienceOf(key: string): Audience | null {
  const [name = "", ids] = key.split("@", 2);
  const room = toRoom(name);
  const details = ids === WITH_DETAILS;
  return room && { room, details, sites: ids === undefined || details ? "all" : ids.split(",").map(Number) };
}

/** True for rooms that tell of devices one by one. */
export function isOfDevices(room: Room): boolean {
  return room === "devices" || room.startsWith("device:");
}

/** True for rooms that tell of all sites together. */
export function isOfAllSites(room: Room): boolean {
  return room === "overview" || room === "health";
}
