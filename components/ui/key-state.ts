import type { KeyView } from "@/server/contracts/access";
import type { Mark } from "./state-mark";

const SOON_MS = 7 * 86_400_000;

/** How a key stands at `now`; `isEnded`: it lets nobody in any more. */
export function keyState(
  { revokedAt, expiresAt }: Pick<KeyView, "revokedAt" | "expiresAt">,
  now: number,
): { readonly mark: Mark; readonly word: string; readonly isEnded: boolean } {
  if (revokedAt !== null) return { mark: "stale", word: "Revoked", isEnded: true };
  const left = expiresAt === null ? Infinity : Date.parse(expiresAt) - now;
  if (left <= 0) return { mark: "stale", word: "Expired", isEnded: true };
  return left <= SOON_MS
    ? { mark: "warning", word: "Expires soon", isEnded: false }
    : { mark: "ok", word: "Works", isEnded: false };
}
