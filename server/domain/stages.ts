/**
 * The stages a message goes through, in order: it waits in the log, then goes with its batch through the worker. `wait` is measured
 * per message; `publish` per frame, from the first commit in it until the log has it; the others per batch.
 */
export const STAGES = ["wait", "decode", "enrich", "documents", "readings", "publish"] as const;

export type Stage = (typeof STAGES)[number];
