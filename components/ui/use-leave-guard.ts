"use client";
import { useRouter } from "next/navigation";
import { useCallback, useEffect } from "react";

/** Asked of the window before somebody is led to another page; whoever has something to lose prevents it. */
const LEAVING = "fieldwatch-leaving";
/** The same after Back or Forward has changed the address, and nothing that is shown. */
const LEFT = "fieldwatch-left";

/** Lets guards keep Back and Forward from what is shown. To be called before Next listens: listeners of a window are called in their order. */
export function heedLeaveGuards(): void {
  window.addEventListener("popstate", (event) => {
    if (!window.dispatchEvent(new Event(LEFT, { cancelable: true }))) event.stopImmediatePropagation();
  });
}

/**
 * Asks before what was written is lost: when the tab is closed or loaded anew, when a link or {@link useGo} leads to another page, and at back and forward.
 * @param isOn whether there is something to lose. @param question what is asked.
 */
export function useLeaveGuard(isOn: boolean, question: string): void {
  useEffect(() => {
    if (!isOn) return;
    const here = window.location.href;
    const { state } = window.history;
    const place = placeInHistory();
    let isComingBack = false;
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    const onClick = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null || !leavesPage(event, link) || window.confirm(question)) return;
      event.preventDefault();
      event.stopPropagation();
    };
    const onLeaving = (event: Event) => {
      if (!window.confirm(question)) event.preventDefault();
    };
    const onLeft = (event: Event) => {
      const isHere = window.location.pathname === new URL(here).pathname;
      if (!isComingBack && (isHere || window.confirm(question))) return;
      event.preventDefault();
      if (isHere) return void (isComingBack = false);
      const now = placeInHistory();
      if (place === null || now === null) return window.history.pushState(state, "", here);
      isComingBack = true;
      window.history.go(place - now);
    };
    window.addEventListener("beforeunload", onUnload);
    window.addEventListener(LEAVING, onLeaving);
    window.addEventListener(LEFT, onLeft);
    // Before the links themselves, which would lead away.
    document.addEventListener("click", onClick, true);
    return () => {
      window.removeEventListener("beforeunload", onUnload);
      window.removeEventListener(LEAVING, onLeaving);
      window.removeEventListener(LEFT, onLeft);
      document.removeEventListener("click", onClick, true);
    };
  }, [isOn, question]);
}

/** Leads to another page of the dashboard, unless somebody rather stays to save what they wrote. */
export function useGo(): (href: string) => void {
  const router = useRouter();
  return useCallback(
    (href) => {
      const isOtherPage = new URL(href, window.location.href).pathname !== window.location.pathname;
      if (isOtherPage && !window.dispatchEvent(new Event(LEAVING, { cancelable: true }))) return;
      router.push(href);
    },
    [router],
  );
}

/** Where in the tab's history the page is; null where browsers don't tell. */
function placeInHistory(): number | null {
  const { navigation } = window as { navigation?: { currentEntry: { index: number } | null } };
  return navigation?.currentEntry?.index ?? null;
}

function leavesPage(event: MouseEvent, link: HTMLAnchorElement): boolean {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if ((link.target !== "" && link.target !== "_self") || link.hasAttribute("download")) return false;
  // Links to elsewhere leave by the browser, which asks by itself.
  return link.origin === window.location.origin && link.pathname !== window.location.pathname;
}
