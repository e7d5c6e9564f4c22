import type { KafkaMessage } from "kafkajs";

/** A transaction that was aborted, as Kafka tells it beside the records. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

interface Undeclared {
  readonly batchContext?: { readonly producerId: string; readonly inTransaction: boolean };
  readonly isControlRecord?: boolean;
}

/**
 * Leaves out the records of aborted transactions. kafkajs does so only where these neither overlap nor begin before what was
 * fetched: it takes Kafka's list to be in the order they began, and it is in the order they ended.
 */
export function withoutAborted(
  messages: readonly KafkaMessage[],
  aborted: readonly AbortedTransaction[],
): KafkaMessage[] {
  const ahead = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, from: Number(firstOffset) }))
    .sort((a, b) => a.from - b.from);
  const open = new Set<string>();
  return messages.filter((message) => {
    const { batchContext, isControlRecord } = message as Undeclared;
    while (ahead.length > 0 && ahead[0]!.from <= Number(message.offset)) open.add(ahead.shift()!.producerId);
    if (batchContext === undefined) return true;
    // The mark at the end of a transaction.
    if (isControlRecord) open.delete(batchContext.producerId);
    return isControlRecord || !batchContext.inTransaction || !open.has(batchContext.producerId);
  });
}
