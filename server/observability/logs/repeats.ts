/** So many lines that say the same are written within one stretch, and then one that counts the others. */
const BURST = 10;
/** Length of a stretch, in milliseconds. */
const STRETCH_MS = 60_000;
/** Kinds of lines that are counted at once: what comes beyond them ends the stretch of the oldest. */
const MOST_KINDS = 500;

/** Writes a line. @param held how many more like it were not written; 0 for the line itself. */
type Write = (held: number) => void;

/** Holds back lines that say what others have just said. */
export interface Repeats {
  /** Writes it now, or counts it. @param kind what lines that say the same have in common */
  line(kind: string, write: Write): void;
  /** Writes what was counted so far, as before the process ends. */
  tellAll(): void;
}

/** @param options.onFirstHeld called once, when there is something to tell before the process ends. */
export function createRepeats(options: { readonly now: () => number; readonly onFirstHeld: () => void }): Repeats {
  let hasHeld = false;
  const stretches = new Map<
    string,
    { since: number; written: number; held: number; write: Write; timer?: NodeJS.Timeout }
  >();

  function end(kind: string): void {
    const stretch = stretches.get(kind);
    if (stretch === undefined) return;
    stretches.delete(kind);
    clearTimeout(stretch.timer);
    if (stretch.held > 0) stretch.write(stretch.held);
  }

  return {
    line(kind, write) {
      const now = options.now();
      const before = stretches.get(kind);
      if (before !== undefined && now - before.since >= STRETCH_MS) end(kind);
      let stretch = stretches.get(kind);
      if (stretch === undefined) {
        const [oldest] = stretches.keys();
        if (stretches.size >= MOST_KINDS) end(oldest!);
        stretches.set(kind, (stretch = { since: now, written: 0, held: 0, write }));
      }
      if (stretch.written < BURST) {
        stretch.written++;
        return write(0);
      }
      if (!hasHeld) options.onFirstHeld();
      hasHeld = true;
      stretch.held++;
      stretch.write = write;
      // Should no further one come, somebody has still to tell of those that were held.
      stretch.timer ??= setTimeout(() => end(kind), stretch.since + STRETCH_MS - now).unref();
    },
    tellAll() {
      for (const kind of [...stretches.keys()]) end(kind);
    },
  };
}
