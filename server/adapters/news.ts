/** What a partition's run sleeps on between two things to do. */
export interface News {
  /** Resolves at the next news, when the run is to end, or after `ms`; with `ms`, news alone doesn't cut the wait short. */
  next(ms?: number): Promise<void>;
  /** There is news, or the run is to end. */
  tell(): void;
}

/** @param ending aborts when the run is to end; whoever aborts it also tells. */
export function createNews(ending: AbortSignal): News {
  let wake = () => {};
  return {
    next: (ms) =>
      new Promise((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        wake = () => {
          if (ms !== undefined && !ending.aborted) return;
          clearTimeout(timer);
          resolve();
        };
        if (ending.aborted) wake();
      }),
    tell: () => wake(),
  };
}
