"use client";
import { isKeyTaken } from "./key-target";
import { useKeys } from "./use-keys";

interface ListKeys {
  /** Moves the row cursor by a number of rows. */
  move: (rows: number) => void;
  /** Moves it to the first or last row. */
  jump: (to: "first" | "last") => void;
  open: () => void;
  /** Chooses the row, or not any more, where rows are chosen. */
  choose?: () => void;
  /** Shows the row beside the list, where that can be. */
  peek?: () => void;
  search: () => void;
}

/** Keys of the list, wherever the focus is, but for fields, open dialogs, and links and buttons with their own Enter. */
export function useListKeys(keys: ListKeys): void {
  useKeys((event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isKeyTaken(event)) return;
    const act = actionOf(event, target, keys);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function actionOf({ key }: KeyboardEvent, target: Element, keys: ListKeys): (() => void) | null {
  const onControl = target.closest("a, button, [role=button], summary") !== null;
  // What stands beside the list and scrolls by itself keeps its Enter and the keys that scroll.
  if (key.length > 1 && target.closest("[data-scrolls]")) return null;
  switch (key) {
    case "j":
    case "ArrowDown":
      return () => keys.move(1);
    case "k":
    case "ArrowUp":
      return () => keys.move(-1);
    case "Home":
      return () => keys.jump("first");
    case "End":
      return () => keys.jump("last");
    case "Enter":
      return onControl ? null : keys.open;
    case "x":
      return keys.choose ?? null;
    case "p":
      return keys.peek ?? null;
    case "/":
      return keys.search;
    default:
      return null;
  }
}
