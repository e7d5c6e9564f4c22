import { PROBE_STAGES, probeIdOf, type ProbeHandled, type ProbeStage } from "@/server/domain/probe-message";
import type { StoredRecord } from "@/server/ports/event-log";
import { type FollowedBatch, FencedError } from "./batch";

/** Finds the messages to follow in a batch; null when there are none, which costs one look at each record. */
export type FollowBatch = (partition: number, records: readonly StoredRecord[]) => FollowedBatch | null;

export interface FollowDeps {
  readonly worker: string;
  /** Keeps what is known of a followed message, replacing what was known before. */
  readonly note: (id: string, handled: ProbeHandled) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** The most messages followed in one batch; further ones are not, as each costs a write to the database. */
const MOST_A_BATCH = 10;

export function createFollow({ worker, note, onError }: FollowDeps): FollowBatch {
  return (partition, records) => {
    let followed: StoredRecord[] | null = null;
    for (const record of records) {
      if (probeIdOf(record.headers) === undefined) continue;
      followed ??= [];
      if (followed.length < MOST_A_BATCH) followed.push(record);
    }
    return followed === null ? null : follow(followed);

    function follow(settling: readonly StoredRecord[]): FollowedBatch {
      const started = performance.now();
      const takenAt = Date.now();
      // The wall clock may be set meanwhile; what a stage took must not show it.
      const now = () => takenAt + (performance.now() - started);
      let writing: Promise<void> = Promise.resolve();
      const ends: Partial<Record<ProbeStage, number>> = {};
      let stage: ProbeStage = "decode";
      const tell = (more: Partial<ProbeHandled>, isRefused: (record: StoredRecord) => boolean = () => false) => {
        for (const record of settling) {
          const base = { worker, partition, offset: record.offset, takenAt, ends: { ...ends } };
          const rest = { failing: null, refused: isRefused(record), frameLost: false, ...more };
          writing = writing.then(() => note(probeIdOf(record.headers)!, { ...base, ...rest })).catch(onError);
        }
      };
      return {
        begins: (name) => (stage = stageOf(name) ?? stage),
        ends(name) {
          const known = stageOf(name);
          if (known) ends[known] = now();
        },
        failed(error) {
          // Whoever has the partition now tells the rest, or has told it already.
          if (error instanceof FencedError || (error as Error).name === "AbortError") return;
          tell({ failing: { stage, error: wordsOf(error) } });
        },
        committed({ messages }, sent) {
          const stored = new Set(messages.map(({ record }) => record.offset));
          const isRefused = ({ offset }: StoredRecord) => !stored.has(offset);
          tell({}, isRefused);
          void sent.then((isSent) => {
            if (isSent) ends.published = now();
            tell({ frameLost: !isSent }, isRefused);
          });
        },
      };
    }
  };
}

function stageOf(name: string): ProbeStage | undefined {
  return PROBE_STAGES.find((stage) => stage === name);
}

function wordsOf(error: unknown): string {
  const { message, name, code } = error as { message?: string; name?: string; code?: string };
  return (message || code || name || String(error)).slice(0, 300);
}
