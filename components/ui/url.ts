"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";

/** What becomes of members of an address; null or nothing takes them away. */
export type AddressChanges = Readonly<Record<string, string | readonly string[] | null>>;

/** An address that was written while the router still shows an earlier one: it follows some 50 ms later, when all else on the page is done. */
interface Ahead {
  readonly path: string;
  readonly search: string;
  /** What the address said before: the router may show any of these on its way. */
  readonly passed: readonly string[];
}

let ahead: Ahead | null = null;
const listeners = new Set<() => void>();

function setAhead(next: Ahead | null): void {
  ahead = next;
  for (const tell of listeners) tell();
}

function listen(tell: () => void): () => void {
  listeners.add(tell);
  return () => void listeners.delete(tell);
}

/** What follows the path in the address, as it was last written, without the question mark. */
export function useAddressText(): string {
  const routed = useSearchParams().toString();
  const path = usePathname();
  const written = useSyncExternalStore(
    listen,
    () => ahead,
    () => null,
  );
  const isAhead = written !== null && written.path === path && written.passed.includes(routed);
  const isOver = written !== null && (!isAhead || written.search === routed);
  useEffect(() => {
    // It has arrived, or a link led elsewhere meanwhile: from here on the router leads.
    if (isOver && ahead === written) setAhead(null);
  }, [isOver, written]);
  return isAhead ? written.search : routed;
}

/** The page's state in its address, so that it can be sent to someone: reads it, and changes some of it. */
export function useAddress(): [URLSearchParams, (change: AddressChanges, how?: "push" | "replace") => void] {
  const text = useAddressText();
  const path = usePathname();
  const search = useMemo(() => new URLSearchParams(text), [text]);
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
  const before = new URLSearchParams(window.location.search).toString();
  if (how === "push") window.history.pushState(null, "", address);
  else window.history.replaceState(null, "", address);
  if (query === before) return;
  setAhead({ path, search: query, passed: ahead?.path === path ? [...ahead.passed, before] : [before] });
}

if (typeof window !== "undefined")
  // What Back leads to was never written ahead.
  window.addEventListener("popstate", () => setAhead(null));
