/**
 * What a message goes through, in order: it waits in the log, then goes with its batch through the worker. `wait` is measured
 * a message at a time; `publish` a frame at a time, from the first commit in it until the log has it; the others a batch.
 */
export const STAGES = ["wait", "decode", "enrich", "documents", "readings", "publish"] as const;

export type Stage = (typeof STAGES)[number];
