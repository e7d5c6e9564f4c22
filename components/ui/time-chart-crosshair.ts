/** The moment pointed at, shared by the charts of a page so that they all show it; null when none is. */
export interface Crosshair {
  readonly get: () => number | null;
  readonly set: (time: number | null) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

export function createCrosshair(): Crosshair {
  let at: number | null = null;
  const listeners = new Set<() => void>();
  return {
    get: () => at,
    set(time) {
      if (time === at) return;
      at = time;
      listeners.forEach((notify) => notify());
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
