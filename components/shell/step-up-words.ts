/** Where another tab ends after signing in again: it has nothing more to do. */
export const PROVEN = "/sign-in?proven=true";

/** What stands behind `#k=` in a sign-in link that was pasted; or all of it, when that alone was. */
export function secretOf(pasted: string): string {
  return /#k=([\w-]+)/.exec(pasted)?.[1] ?? pasted.trim();
}
