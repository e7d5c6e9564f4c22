"use client";
import { useSyncExternalStore } from "react";

const never = () => () => {};

/** False while rendering on the server and for the first render in the browser, which must be the same. */
export function useIsClient(): boolean {
  return useSyncExternalStore(
    never,
    () => true,
    () => false,
  );
}
