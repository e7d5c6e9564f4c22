/**
 * Runs what is handed over within one task together in the next one. A frame changes several queries, each of which tells
 * those that show it in a task of its own by default: together, a page is drawn once for a frame.
 */
export function createTogether(later: (run: () => void) => void = (run) => void setTimeout(run, 0)) {
  let waiting: (() => void)[] = [];
  return (callback: () => void): void => {
    waiting.push(callback);
    if (waiting.length > 1) return;
    later(() => {
      const callbacks = waiting;
      waiting = [];
      for (const run of callbacks) {
        try {
          run();
        } catch (error) {
          // The others are told all the same.
          reportError(error);
        }
      }
    });
  };
}
