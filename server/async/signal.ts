/** Wakes a loop that sleeps between two things to do. */
export interface Signal {
  /** Resolves when it is raised, when the loop is to end, or after `ms`; with `ms`, raising alone doesn't cut the wait short. */
  wait(ms?: number): Promise<void>;
  /** Says that there is something to do, or that the loop is to end. */
  raise(): void;
}

/** @param ending aborts when the loop is to end; whoever aborts it also raises the signal. */
export function createSignal(ending: AbortSignal): Signal {
  let wake = () => {};
  return {
    wait: (ms) =>
      new Promise((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        wake = () => {
          if (ms !== undefined && !ending.aborted) return;
          clearTimeout(timer);
          resolve();
        };
        if (ending.aborted) wake();
      }),
    raise: () => wake(),
  };
}
