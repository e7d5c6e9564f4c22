import { isProofAsked } from "./step-up";

/** Where the sign-in page is. */
export const SIGN_IN = "/sign-in";

/** So long nothing leads there again: many requests are refused at once. Longer, and a page whose way there broke off would stay. */
const ONCE_MS = 10_000;

/** The sign-in page's address with the way back to this one; null on the sign-in page, which tells a refusal itself. */
export function signInAddress({
  pathname,
  search,
  hash,
}: Pick<Location, "pathname" | "search" | "hash">): string | null {
  if (pathname === SIGN_IN) return null;
  const here = wayBack(pathname + search + hash);
  return here === "/" ? SIGN_IN : `${SIGN_IN}?to=${encodeURIComponent(here)}`;
}

/**
 * Where to go after signing in: a path of this site, or the overview for anything else. Browsers leave out tabs and line
 * breaks and take a backslash for a slash, so it is judged by what they make of it.
 */
export function wayBack(to: string | null): string {
  const base = "http://this.invalid";
  if (to === null || !to.startsWith("/") || !URL.canParse(to, base)) return "/";
  const url = new URL(to, base);
  // What Next adds when it asks for the inside of a page alone.
  if (url.searchParams.has("_rsc")) url.searchParams.delete("_rsc");
  const path = url.pathname + url.search + url.hash;
  return url.origin !== base || path.startsWith("//") || url.pathname === SIGN_IN ? "/" : path;
}

let ledAt: number | null = null;

/** Leads who isn't signed in any more to the sign-in page, and from there back here. */
export function leadToSignIn(): void {
  if (isProofAsked()) return;
  const address = signInAddress(window.location);
  if (address === null || (ledAt !== null && performance.now() - ledAt < ONCE_MS)) return;
  ledAt = performance.now();
  // In place of this page: Back must not lead to it and at once to the sign-in again.
  window.location.replace(address);
}
