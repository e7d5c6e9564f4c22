"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useCallback } from "react";

/** What becomes of members of an address; null or nothing takes them away. */
export type AddressChanges = Readonly<Record<string, string | readonly string[] | null>>;

/** The page's state in its address, so that it can be sent to someone: reads it, and changes some of it. */
export function useAddress(): [URLSearchParams, (change: AddressChanges, how?: "push" | "replace") => void] {
  const search = useSearchParams();
  const path = usePathname();
  const change = useCallback(
    (changes: AddressChanges, how: "push" | "replace" = "replace") => {
      const next = new URLSearchParams(window.location.search);
      for (const [key, value] of Object.entries(changes)) {
        next.delete(key);
        for (const one of typeof value === "string" ? [value] : (value ?? [])) if (one) next.append(key, one);
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
