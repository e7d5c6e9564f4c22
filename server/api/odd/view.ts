import { groupSentence, oddSentence } from "@/server/domain/oddness/words";
import type { OddGroup } from "@/server/oddness/groups";
import type { OddStretch } from "@/server/oddness/list";
import { toInstant } from "../instant";

/** A stretch as it goes over the wire. */
export function toStretch({ deviceId: _, metricId: __, ...stretch }: OddStretch) {
  const { from, to, peak, peakAt, knownSince, said, unit } = stretch;
  return {
    ...stretch,
    ...{ from: toInstant(from), to: toInstant(to), peakAt: toInstant(peakAt), knownSince: toInstant(knownSince) },
    sentence: oddSentence({ ...stretch, score: peak, at: peakAt, isOver: !stretch.goesOn }, unit),
    said: said && { ...said, at: toInstant(said.at) },
  };
}

/** Series that are odd at once, as they go over the wire. */
export function toGroup({ siteId: _, deviceId: __, ...group }: OddGroup) {
  return { ...group, metrics: [...group.metrics], from: toInstant(group.from), sentence: groupSentence(group) };
}
