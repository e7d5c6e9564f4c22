"use client";
import { usePathname } from "next/navigation";
import { useCallback, useMemo } from "react";
import { useAddressText, writeAddress } from "../ui/url";
import { changedAddress, readView, type View, type ViewChange } from "./view";

export type ChangeView = (change: ViewChange, how?: "push" | "replace") => void;

/** Keeps what the page shows in its address, so that it can be shared. Unlike on other pages, a device may be named as empty. */
export function useView(): readonly [view: View, change: ChangeView, hrefOf: (change: ViewChange) => string] {
  const text = useAddressText();
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
