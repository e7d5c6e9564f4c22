import { useCallback, useRef } from "react";
import { stretchAddress } from "./ranges";
import type { AddressChanges } from "./url";

const ENDS = ["range", "from", "to", "end"] as const;

/** Goes to a stretch of time in the page's address, and back to what was shown before it. */
export function useZoom(
  address: URLSearchParams,
  change: (changes: AddressChanges, how?: "push" | "replace") => void,
): readonly [zoom: (from: number, to: number) => void, zoomOut: () => void] {
  const before = useRef<Record<string, string | null>[]>([]);
  const shown = useCallback(() => Object.fromEntries(ENDS.map((key) => [key, address.get(key)])), [address]);
  const zoom = useCallback(
    (from: number, to: number) => {
      before.current.push(shown());
      change(stretchAddress({ from, to }), "push");
    },
    [change, shown],
  );
  const zoomOut = useCallback(() => {
    const now = JSON.stringify(shown());
    let back = before.current.pop();
    // The browser's own way back may have been taken meanwhile.
    while (back && JSON.stringify(back) === now) back = before.current.pop();
    if (back) change(back, "push");
    else if (address.has("from")) change({ from: null, to: null }, "push");
  }, [address, change, shown]);
  return [zoom, zoomOut];
}
