/** Records that are worth a batch at once. */
export const ENOUGH_RECORDS = 200;

/** Makes readers of a quiet log begin together, and seldom. */
export interface Pace {
  /** Resolves at the next beginning: at once, if the last one is long ago; or when `signal` aborts. */
  begin(signal: AbortSignal): Promise<void>;
  /** Notes records that wait; as soon as there are enough, all begin. */
  note(records: number): void;
}

/** @param ms the time between beginnings when little comes; 0: all begin at once. */
export function createPace(ms: number): Pace {
  let last = -Infinity;
  let noted = 0;
  let waiting = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;

  function open(): void {
    clearTimeout(timer);
    timer = undefined;
    last = performance.now();
    noted = 0;
    const all = waiting;
    waiting = new Set();
    for (const go of all) go();
  }

  return {
    begin(signal) {
      if (ms === 0 || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const go = () => {
          waiting.delete(go);
          signal.removeEventListener("abort", go);
          resolve();
        };
        waiting.add(go);
        signal.addEventListener("abort", go, { once: true });
        // Even at once means with those that come in the same turn.
        timer ??= setTimeout(open, noted >= ENOUGH_RECORDS ? 0 : Math.max(0, last + ms - performance.now()));
      });
    },
    note(records) {
      noted += records;
      if (noted >= ENOUGH_RECORDS && waiting.size > 0) open();
    },
  };
}
