"use client";
import { createContext, type ReactNode, useContext, useState, useSyncExternalStore } from "react";
import { serverNow } from "./server-time";

type Subscribe = (listener: () => void) => () => void;

const ClockContext = createContext<Subscribe>(() => () => {});

/** One timer for all ages on screen; it runs only while there is one. */
export function ClockProvider({ children }: { children: ReactNode }) {
  const [subscribe] = useState(createTicker);
  return <ClockContext value={subscribe}>{children}</ClockContext>;
}

function createTicker(): Subscribe {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  return (listener) => {
    listeners.add(listener);
    timer ??= setInterval(() => listeners.forEach((notify) => notify()), 500);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}

/** A value that depends on the current time, which is the server's; renders again only when it changed. Null while rendering on the server. */
export function useClock<T extends string | number | boolean>(read: (now: number) => T): T | null {
  return useSyncExternalStore<T | null>(
    useContext(ClockContext),
    () => read(serverNow()),
    () => null,
  );
}

/** The current time in steps of `stepMs` milliseconds; 0 while rendering on the server. */
export function useNow(stepMs: number): number {
  return useClock((now) => Math.floor(now / stepMs) * stepMs) ?? 0;
}
