/** Limits how much may be at work at once; the others wait in the order they came. */
export interface Semaphore {
  /**
   * Waits for room for what `weigh` says once it is one's turn; for all of it, if that is more than there is.
   * @returns the room taken, to be given back; 0 without any, if `signal` aborts first or none is needed any more.
   */
  acquire(signal?: AbortSignal, weigh?: () => number): Promise<number>;
  /** Gives back room that was taken. */
  release(taken?: number): void;
}

export function createSemaphore(count: number): Semaphore {
  let free = count;
  const queue: { readonly weigh: () => number; readonly go: (taken: number) => void }[] = [];
  const admit = () => {
    while (queue.length > 0) {
      const taken = Math.max(0, Math.min(count, queue[0]!.weigh()));
      if (taken > free) return;
      free -= taken;
      queue.shift()!.go(taken);
    }
  };
  return {
    acquire(signal, weigh = () => 1) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve(0);
        const entry = {
          weigh,
          go(taken: number) {
            signal?.removeEventListener("abort", giveUp);
            resolve(taken);
          },
        };
        const giveUp = () => {
          queue.splice(queue.indexOf(entry), 1);
          resolve(0);
          admit();
        };
        signal?.addEventListener("abort", giveUp, { once: true });
        queue.push(entry);
        if (queue.length === 1) admit();
      });
    },
    release(taken = 1) {
      free += taken;
      admit();
    },
  };
}
