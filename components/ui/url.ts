"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useCallback } from "react";

/** The page's state in its address, so that it can be sent to someone: reads it, and changes some of it. */
export function useAddress(): [
  URLSearchParams,
  (change: Record<string, string | null>, how?: "push" | "replace") => void,
] {
  const search = useSearchParams();
  const path = usePathname();
  const change = useCallback(
    (changes: Record<string, string | null>, how: "push" | "replace" = "replace") => {
      const next = new URLSearchParams(window.location.search);
      for (const [key, value] of Object.entries(changes)) {
        if (value) next.set(key, value);
        else next.delete(key);
      }
      writeAddress(path, next, how);
    },
    [path],
  );
  return [search, change];
}

/** Puts a page's state into its address, as a step of its own for Back or in place of the one before. */
export function writeAddress(path: string, search: URLSearchParams, how: "push" | "replace"): void {
  const query = search.toString();
  const address = query ? `${path}?${query}` : path;
  if (how === "push") window.history.pushState(null, "", address);
  else window.history.replaceState(null, "", address);
}
