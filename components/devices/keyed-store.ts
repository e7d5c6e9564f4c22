import { useCallback, useSyncExternalStore } from "react";

/** Values by key outside of React, so that a change draws only what shows that key. */
export interface KeyedStore<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  subscribe(key: string, listener: () => void): () => void;
}

/** @param most values kept; beyond it those set longest ago go, unless somebody looks at them. */
export function createKeyedStore<T>(most: number): KeyedStore<T> {
  const values = new Map<string, T>();
  const listeners = new Map<string, Set<() => void>>();
  return {
    get: (key) => values.get(key),
    set(key, value) {
      const before = values.get(key);
      values.delete(key);
      values.set(key, value);
      if (values.size > most) {
        for (const old of values.keys()) {
          if (listeners.has(old)) continue;
          values.delete(old);
          break;
        }
      }
      if (before !== value) listeners.get(key)?.forEach((notify) => notify());
    },
    subscribe(key, listener) {
      let own = listeners.get(key);
      if (own === undefined) listeners.set(key, (own = new Set()));
      own.add(listener);
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(key) === own) listeners.delete(key);
      };
    },
  };
}

/** The value of one key; draws again only when it changed. */
export function useKeyed<T>(store: KeyedStore<T>, key: string): T | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribe(key, listener), [store, key]);
  const read = () => store.get(key);
  return useSyncExternalStore(subscribe, read, read);
}
