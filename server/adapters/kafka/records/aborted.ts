/** A transaction that was aborted, as Kafka tells it beside the records. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** What a batch says of the transaction it is part of. */
export interface BatchOrigin {
  readonly firstOffset: number;
  readonly producerId: string;
  readonly isTransactional: boolean;
  /** Whether it marks the end of a transaction, and has nothing else. */
  readonly isControl: boolean;
}

/**
 * Leaves out the marks of transactions, and batches of aborted ones. kafkajs does so only where these neither overlap nor begin before what
 * was fetched: it takes Kafka's list to be in the order they began, and it is in the order they ended.
 */
export function withoutAborted<T extends BatchOrigin>(
  batches: readonly T[],
  aborted: readonly AbortedTransaction[],
): T[] {
  const ahead = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, from: Number(firstOffset) }))
    .sort((a, b) => a.from - b.from);
  const open = new Set<string>();
  return batches.filter(({ firstOffset, producerId, isTransactional, isControl }) => {
    while (ahead.length > 0 && ahead[0]!.from <= firstOffset) open.add(ahead.shift()!.producerId);
    if (isControl) open.delete(producerId);
    return !isControl && !(isTransactional && open.has(producerId));
  });
}
