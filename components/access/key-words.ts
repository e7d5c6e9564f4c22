import type { KeysAnswer, KeyView } from "@/server/contracts/access";
import type { KeyKind } from "@/server/domain/access";
import { formatExact } from "../ui/format";
import { roleWord } from "../ui/roles";

type NewNames = KeysAnswer["newNamesLimits"];

/** Kinds of keys in words. */
export const KEY_WORDS: Record<KeyKind, { readonly title: string; readonly about: string }> = {
  service: { title: "Program", about: "Does what its role may: scripts, exports, other systems." },
  site: {
    title: "Many devices",
    about: "Sends telemetry for the devices of a site, or for any, and follows what became of it. Sees nothing else.",
  },
  device: { title: "One device", about: "Sends telemetry for this device alone. Sees nothing else." },
  source: { title: "Source", about: "Sends to this source alone, in the shape it takes. Sees nothing else." },
};

/** What a key is for. */
export function purposeOf({
  kind,
  role,
  device,
  source,
  site,
}: Pick<KeyView, "kind" | "role" | "device" | "source" | "site">): string {
  const at = site === null ? "" : ` at ${site}`;
  if (kind === "service") return `Program, ${roleWord(role).toLowerCase()}${at}`;
  if (kind === "device") return `Device ${device ?? "unknown"}${at}`;
  if (kind === "source") return `Source ${source ?? "unknown"}${at}`;
  return site === null ? "Any device" : `Devices of ${site}`;
}

/** What of a key's new names is used up, or nearly; null while there is room. `isFull`: what is new is refused. */
export function newNamesNote(
  used: NewNames,
  limits: NewNames,
): { readonly text: string; readonly isFull: boolean } | null {
  const near = (["devices", "metrics"] as const).filter((kind) => used[kind] > 0 && used[kind] >= limits[kind] * 0.8);
  if (near.length === 0) return null;
  const text = near.map((kind) => `${formatExact(used[kind])} of ${formatExact(limits[kind])} new ${kind}`).join(", ");
  return { text: `${text} within the hour`, isFull: near.some((kind) => used[kind] >= limits[kind]) };
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
