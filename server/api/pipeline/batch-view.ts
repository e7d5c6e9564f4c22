import type { SkippedBatchView, StoppingBatchView } from "@/server/contracts/pipeline";
import {
  type SkippedBatch,
  type StoppingBatch,
  type UnreadableBatch,
  unreadableInWords,
} from "@/server/domain/unreadable";
import { toInstant } from "../instant";

/** A batch that stops its partition, as answered. */
export function toStoppingView(batch: StoppingBatch): StoppingBatchView {
  return { ...extentOf(batch), since: toInstant(batch.since), ...unreadableInWords(batch) };
}

/** A batch that was skipped, as answered. */
export function toSkippedView(batch: SkippedBatch): SkippedBatchView {
  const { skippedAt, skippedBy } = batch;
  const { cause } = unreadableInWords(batch);
  return { ...extentOf(batch), cause, skippedAt: toInstant(skippedAt), skippedBy };
}

function extentOf({ partition, from, to, records, reason }: UnreadableBatch) {
  return { partition, from, to, records, reason };
}
