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

/** Channel told the topic's name after each append. */
export const RECORDS_CHANNEL = "fieldwatch_log";
/** Channel told the group's key when a member came, left or let a partition go. */
export const GROUP_CHANNEL = "fieldwatch_log_group";
