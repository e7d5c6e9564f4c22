import type { KeyView } from "@/server/contracts/access";
import type { KeyKind } from "@/server/domain/access";
import { roleWord } from "../ui/roles";
import type { Mark } from "../ui/state-mark";

/** Kinds of keys in words. */
export const KEY_WORDS: Record<KeyKind, { readonly title: string; readonly about: string }> = {
  service: { title: "Program", about: "Does what its role may: scripts, exports, other systems." },
  site: {
    title: "Any device",
    about: "Sends telemetry for any device, and follows what became of it. Sees nothing else.",
  },
  device: { title: "One device", about: "Sends telemetry for this device alone. Sees nothing else." },
};

/** What a key is for. */
export function purposeOf({ kind, role, device }: Pick<KeyView, "kind" | "role" | "device">): string {
  if (kind === "service") return `Program, ${roleWord(role).toLowerCase()}`;
  return kind === "device" ? `Device ${device ?? "unknown"}` : "Any device";
}

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

/** A command that uses a new key at once, at the address this browser came by. */
export function curlWith(key: Pick<KeyView, "kind" | "device">, text: string, origin: string): string {
  const bearer = `-H 'Authorization: Bearer ${text}'`;
  if (key.kind === "service") return `curl ${origin}/api/v1/me ${bearer}`;
  const message = JSON.stringify({ device: key.device ?? "press-07", readings: { temperature: 21.3 } });
  return [
    `curl ${origin}/api/v1/telemetry`,
    bearer,
    `-H 'content-type: application/json'`,
    `-d '${message.replace('"readings"', `"time":'$(date +%s)',"readings"`)}'`,
  ].join(" \\\n  ");
}

/** Addresses as people write them: one a line, or with commas. */
export function networksIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}
