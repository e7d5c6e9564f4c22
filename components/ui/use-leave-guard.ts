"use client";
import { useEffect } from "react";

/**
 * Asks before what was written is lost: when the tab is closed or loaded anew, and when a link leads to another page. Back and forward within the
 * dashboard can't be held up.
 * @param isOn whether there is something to lose. @param question what is asked.
 */
export function useLeaveGuard(isOn: boolean, question: string): void {
  useEffect(() => {
    if (!isOn) return;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null || !leavesPage(event, link) || window.confirm(question)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener("beforeunload", onUnload);
    // Before the links themselves, which would lead away.
    document.addEventListener("click", onClick, true);
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      document.removeEventListener("click", onClick, true);
    };
  }, [isOn, question]);
}

function leavesPage(event: MouseEvent, link: HTMLAnchorElement): boolean {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if ((link.target !== "" && link.target !== "_self") || link.hasAttribute("download")) return false;
  // Links to elsewhere leave by the browser, which asks by itself.
  return link.origin === window.location.origin && link.pathname !== window.location.pathname;
}
