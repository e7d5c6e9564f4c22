"use client";
import { useEffect } from "react";

/** Returns the title of the browser's tab: trouble first, so that it is seen among many. */
export function tabTitle(page: string, failing: number, hasAnswer: boolean): string {
  const trouble = hasAnswer ? (failing > 0 ? `(${failing} failing) ` : "") : "(no answer) ";
  return `${trouble}${page} · Fieldwatch`;
}

/** Keeps the tab's title this text: the page's own metadata, which comes when it comes, doesn't know its state. */
export function useTabTitle(text: string): void {
  useEffect(() => {
    const write = () => {
      if (document.title !== text) document.title = text;
    };
    write();
    const watch = new MutationObserver(write);
    watch.observe(document.head, { childList: true, subtree: true, characterData: true });
    return () => watch.disconnect();
  }, [text]);
}
