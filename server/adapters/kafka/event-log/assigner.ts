import type { PartitionAssigner } from "kafkajs";
import { AssignerProtocol } from "../kafkajs";

/** All consumers of a group must name the same way of sharing. */
const NAME = "fieldwatch-even";
const VERSION = 0;

/**
 * Shares a topic's partitions evenly among the group's members that consume it; every process comes to the same result. A
 * group consumes one topic: the leader shares its own only.
 * @param name who this member is, in words; Kafka keeps it, and tells it whoever describes the group.
 */
export function shareEvenly(name: string): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.from(name) }),
    }),
    async assign({ members, topics }) {
      const byMember = new Map<string, Record<string, number[]>>(members.map(({ memberId }) => [memberId, {}]));
      for (const topic of topics) {
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        const sharing = members
          .filter(({ memberMetadata }) => topicsOf(memberMetadata).includes(topic))
          .map(({ memberId }) => memberId)
          .sort();
        if (sharing.length === 0) continue;
        for (const [at, partition] of partitions.sort((a, b) => a - b).entries()) {
          const member = byMember.get(sharing[at % sharing.length]!)!;
          (member[topic] ??= []).push(partition);
        }
      }
      return [...byMember].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          assignment,
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

function topicsOf(memberMetadata: Buffer): readonly string[] {
  return AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [];
}
