"use client";
import { useSyncExternalStore } from "react";

/** As the style sheet has it: what a finger is to hit is 44 px high. */
const HEIGHTS = { fine: 34, coarse: 44 } as const;
const COARSE = "(pointer: coarse)";

/** Height of every row, in pixels: higher where fingers choose rows. */
export function useRowHeight(): number {
  return useSyncExternalStore(
    subscribe,
    () => (matchMedia(COARSE).matches ? HEIGHTS.coarse : HEIGHTS.fine),
    () => HEIGHTS.fine,
  );
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(COARSE);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
