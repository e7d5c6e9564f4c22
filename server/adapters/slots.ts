/** How many may be at work at once; the others wait in the order they came. */
export interface Slots {
  /** Waits for a free slot. False, without one, if `signal` aborts first. */
  take(signal: AbortSignal): Promise<boolean>;
  /** Frees a slot. */
  give(): void;
}

export function createSlots(count: number): Slots {
  let free = count;
  const queue: (() => void)[] = [];
  return {
    async take(signal) {
      if (signal.aborted) return false;
      if (free > 0) {
        free -= 1;
        return true;
      }
      return await new Promise<boolean>((resolve) => {
        const go = () => {
          signal.removeEventListener("abort", give);
          resolve(true);
        };
        const give = () => {
          queue.splice(queue.indexOf(go), 1);
          resolve(false);
        };
        queue.push(go);
        signal.addEventListener("abort", give, { once: true });
      });
    },
    give() {
      const next = queue.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
