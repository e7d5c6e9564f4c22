"use client";
import { usePathname, useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";
import { writeAddress } from "../ui/url";
import { changedAddress, readView, type View, type ViewChange } from "./view";

export type ChangeView = (change: ViewChange, how?: "push" | "replace") => void;

/** What the page shows, kept in its address so that it can be sent to someone. Unlike other pages' it may name an empty device. */
export function useView(): readonly [view: View, change: ChangeView, hrefOf: (change: ViewChange) => string] {
  const text = useSearchParams().toString();
  const path = usePathname();
  const view = useMemo(() => readView(new URLSearchParams(text)), [text]);
  const change = useCallback<ChangeView>(
    (changes, how = "replace") => {
      writeAddress(path, changedAddress(new URLSearchParams(window.location.search), changes), how);
    },
    [path],
  );
  const hrefOf = useCallback(
    (changes: ViewChange) => `${path}?${changedAddress(new URLSearchParams(text), changes).toString()}`,
    [path, text],
  );
  return [view, change, hrefOf];
}
