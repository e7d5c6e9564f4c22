/** Limits how many may be at work at once; the others wait in the order they came. */
export interface Semaphore {
  /** Waits for a free place. False, without one, if `signal` aborts first. */
  acquire(signal?: AbortSignal): Promise<boolean>;
  /** Frees a place. */
  release(): void;
}

export function createSemaphore(count: number): Semaphore {
  let free = count;
  const queue: (() => void)[] = [];
  return {
    async acquire(signal) {
      if (signal?.aborted) return false;
      if (free > 0) {
        free -= 1;
        return true;
      }
      return await new Promise<boolean>((resolve) => {
        const go = () => {
          signal?.removeEventListener("abort", giveUp);
          resolve(true);
        };
        const giveUp = () => {
          queue.splice(queue.indexOf(go), 1);
          resolve(false);
        };
        queue.push(go);
        signal?.addEventListener("abort", giveUp, { once: true });
      });
    },
    release() {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
