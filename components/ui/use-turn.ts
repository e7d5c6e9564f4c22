"use client";
import { useState, useSyncExternalStore } from "react";

const TICK_MS = 250;

const listeners = new Set<() => void>();
let ticks = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    ticks++;
    listeners.forEach((notify) => notify());
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/**
 * A value as of this part's last turn. Parts that are costly to draw take turns, four a second, so that live values draw
 * only one of them at a time; a change of `key` (something a person did) is shown by all at once.
 * @param slot this part's place among `slots`.
 */
export function useTurn<T>(value: T, slot: number, slots: number, key: string): T {
  const turn = useSyncExternalStore(
    subscribe,
    () => Math.floor((ticks + slots - slot) / slots),
    () => 0,
  );
  const [shown, setShown] = useState({ turn, key, value });
  if (shown.turn === turn && shown.key === key) return shown.value;
  setShown({ turn, key, value });
  return value;
}
