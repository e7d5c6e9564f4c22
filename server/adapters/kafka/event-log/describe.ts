import type { Admin, MemberDescription } from "kafkajs";
import { AssignerProtocol } from "../kafkajs";
import type { PartitionState, TopicState } from "@/server/ports/event-log";
import type { TopicBounds } from "./bounds";
import { committedBy } from "./topics";
import type { WaitingSince } from "./waiting-since";

/** Describes a topic as it is now, and how far `group` has come. */
export async function describeTopic(
  admin: Admin,
  topicBounds: TopicBounds,
  topic: string,
  group: string,
  waitingSince: WaitingSince,
): Promise<TopicState> {
  const [bounds, committed, { groups }] = await Promise.all([
    topicBounds.of(topic),
    committedBy(admin, topic, group),
    admin.describeGroups([group]),
  ]);
  const members = (groups[0]?.members ?? []).map(memberOf).filter(({ topics }) => topics?.includes(topic) ?? true);
  const waiting = [...bounds]
    .map(([partition, { start, end }]) => ({
      partition,
      next: Math.max(committed.get(partition) ?? start, start),
      end,
    }))
    .filter(({ next, end }) => next < end);
  const since = await waitingSince((time) => topicBounds.since(topic, time), topic, group, waiting);
  const partitions = [...bounds]
    .sort(([a], [b]) => a - b)
    .map(([partition, { start, end, readableEnd }]): PartitionState => ({
      partition,
      start,
      end,
      readableEnd,
      committed: committed.get(partition) ?? null,
      oldestWaiting: since.get(partition) ?? null,
      owner: members.find(({ owned }) => owned(topic).includes(partition))?.name ?? null,
    }));
  // There is at least one partition: a topic without any is a missing one.
  const { cluster, topicId } = bounds.values().next().value!;
  return { cluster, topic, topicId, partitions, members: members.length };
}

/** Kafka tells neither what a rebalancing group's members ask for nor what they own. */
function memberOf({ clientId, clientHost, memberMetadata, memberAssignment }: MemberDescription) {
  const metadata = memberMetadata.length > 0 ? AssignerProtocol.MemberMetadata.decode(memberMetadata) : null;
  const assignment = memberAssignment.length > 0 ? AssignerProtocol.MemberAssignment.decode(memberAssignment) : null;
  return {
    name: metadata?.userData?.toString() || `${clientId} on ${clientHost.replace(/^\//, "")}`,
    topics: metadata?.topics,
    owned: (topic: string) => assignment?.assignment[topic] ?? [],
  };
}
