import type { PageLink } from "./pages";

/** The time within which the second key must follow, in milliseconds. */
const PATIENCE_MS = 1200;

/** Time when `g` was pressed, epoch ms; null when the next key stands alone. */
export type GoState = number | null;

/** Interprets a key after the keys before it: returns another state, and the page to go to if it names one. */
export function readGoKey(
  pages: readonly PageLink[],
  state: GoState,
  key: string,
  now: number,
): { state: GoState; href: string | null } {
  const follows = state !== null && now - state <= PATIENCE_MS;
  const page = follows ? pages.find((one) => one.key === key) : undefined;
  if (page) return { state: null, href: page.href };
  return { state: key === "g" ? now : null, href: null };
}
