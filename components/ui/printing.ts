"use client";
import { useEffect, useSyncExternalStore } from "react";

/** On the document while it is laid out for paper. */
const MARK = "printing";
const SCHEME = "mantineColorScheme";

/** True while the page is laid out for paper: what a canvas shows is shapes then. */
export function useIsPrinting(): boolean {
  return useSyncExternalStore(
    subscribe,
    () => document.documentElement.dataset[MARK] !== undefined,
    () => false,
  );
}

/** Makes the page light on paper, whatever it is on the screen. Once, by what frames all pages. */
export function useLightOnPaper(): void {
  useEffect(() => {
    const { dataset } = document.documentElement;
    let before: string | undefined;
    const begin = () => {
      before = dataset[SCHEME];
      dataset[SCHEME] = "light";
      dataset[MARK] = "";
    };
    const end = () => {
      if (dataset[MARK] === undefined) return;
      if (before !== undefined) dataset[SCHEME] = before;
      delete dataset[MARK];
    };
    // In the capturing phase: before those who draw otherwise for it look.
    window.addEventListener("beforeprint", begin, true);
    window.addEventListener("afterprint", end, true);
    return () => {
      end();
      window.removeEventListener("beforeprint", begin, true);
      window.removeEventListener("afterprint", end, true);
    };
  }, []);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("beforeprint", listener);
  window.addEventListener("afterprint", listener);
  return () => {
    window.removeEventListener("beforeprint", listener);
    window.removeEventListener("afterprint", listener);
  };
}
