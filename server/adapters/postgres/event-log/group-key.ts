import { murmur2 } from "../../partitioner";

/**
 * Ownership is kept in session advisory locks (key, slot), which vanish with the connection of a worker that dies:
 * every member of a group holds slot 0 shared, and the owner of partition p holds slot p + 1.
 */
export const SLOT_OF_MEMBERS = 0;

/** First half of the advisory lock keys of a group on a topic, a signed 32-bit number. */
export function groupKey(topicId: number, group: string): number {
  return murmur2(`fieldwatch/${topicId}/${group}`);
}

/** Channel told after each append to a topic where its partitions end now, as {@link readEnds} reads. */
export function recordsChannel(topicId: number): string {
  return `fieldwatch_log_${topicId}`;
}

/** Partitions whose ends fit into a notification, which holds 8000 bytes; where more change, it says nothing of them. */
export const MOST_ENDS = 200;

/** Reads "0 17,3 4": the end of each partition that changed. */
export function readEnds(payload: string): [partition: number, end: number][] {
  const parts = payload === "" ? [] : payload.split(",");
  return parts.map((part) => part.split(" ").map(Number) as [number, number]);
}
/** Channel told the group's key when a member came, left or let a partition go. */
export const GROUP_CHANNEL = "fieldwatch_log_group";
