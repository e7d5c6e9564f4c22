import type { DeadLetterFilter, DeadLetterGroup, DeadLetterStatus } from "@/server/contracts/dead-letters";
import { DEAD_LETTER_REASONS, type DeadLetterReason } from "@/server/domain/reasons";

/** The key of a group. A device of null could not be read, a field of null is the whole message. */
export type GroupKey = Pick<DeadLetterGroup, "reason" | "device" | "field">;

export type GroupSort = "lastSeen" | "count";

/** The page's state, as its address says it. */
export interface View {
  readonly status: DeadLetterStatus | "all";
  /** An empty device stands for those without one, an empty field for whole messages. */
  readonly filter: DeadLetterFilter;
  readonly sort: GroupSort;
  /** The group that is open beside the list. */
  readonly group: GroupKey | null;
  /** The id of the dead letter that is open beside the list. */
  readonly letter: string | null;
}

export const STATUSES: readonly DeadLetterStatus[] = ["open", "resending", "resent", "discarded"];

/** A change of the address; null removes a part. */
export type ViewChange = Partial<
  Record<"status" | "reason" | "device" | "field" | "source" | "sort" | "group" | "letter", string | null>
>;

/** Reads what the address asks for; what it can't mean is left out. */
export function readView(address: URLSearchParams): View {
  const [status, reason, device, field, source] = ["status", "reason", "device", "field", "source"].map((name) =>
    address.get(name),
  );
  const filter: DeadLetterFilter = {
    ...(isReason(reason) ? { reason } : {}),
    ...(device == null ? {} : { device }),
    ...(field == null ? {} : { field }),
    ...(source ? { source } : {}),
  };
  return {
    status: STATUSES.find((one) => one === status) ?? (status === "all" ? "all" : "open"),
    filter,
    sort: address.get("sort") === "count" ? "count" : "lastSeen",
    group: readGroup(address.get("group") ?? "") ?? wholeGroup(filter),
    letter: address.get("letter") || null,
  };
}

/** Returns the address after a change. */
export function changedAddress(address: URLSearchParams, change: ViewChange): URLSearchParams {
  const next = new URLSearchParams(address);
  for (const [name, value] of Object.entries(change)) {
    if (value == null) next.delete(name);
    else next.set(name, value);
  }
  return next;
}

/** Who sent, for people, and the version of its mapping that refused it. */
export function originOf(source: string, mappingVersion: number | null): string {
  return mappingVersion === null ? source : `${source}, mapping ${mappingVersion}`;
}

/** Writes a group's name for the address. */
export function groupName({ reason, device, field }: GroupKey): string {
  return [reason, device ?? "", field ?? ""].map(encodeURIComponent).join("/");
}

function readGroup(name: string): GroupKey | null {
  const [reason, device, field, ...more] = name.split("/").map(decoded);
  if (!isReason(reason) || device == null || field == null || more.length > 0) return null;
  return { reason, device: device || null, field: field || null };
}

/** Returns the single group a filter leaves, if it does: an address with all three parts opens it. */
function wholeGroup({ reason, device, field }: DeadLetterFilter): GroupKey | null {
  if (reason === undefined || device === undefined || field === undefined) return null;
  return { reason, device: device || null, field: field || null };
}

/** Returns the filter that finds a group's dead letters, of the source that is looked at. */
export function filterOf({ reason, device, field }: GroupKey, source?: string): DeadLetterFilter {
  return { reason, device: device ?? "", field: field ?? "", ...(source !== undefined && { source }) };
}

/** Words a filter briefly. */
export function filterWords({ reason, device, field, source }: DeadLetterFilter): string {
  const words = [
    reason === undefined ? null : DEAD_LETTER_REASONS[reason].title,
    device === undefined ? null : device || "no device",
    field === undefined ? null : field || "whole message",
    source === undefined ? null : `source ${source}`,
  ].filter((word) => word !== null);
  return words.length === 0 ? "all dead letters" : words.join(" · ");
}

function isReason(text: string | null | undefined): text is DeadLetterReason {
  return text != null && Object.hasOwn(DEAD_LETTER_REASONS, text);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
