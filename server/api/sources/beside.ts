import type { Beside } from "@/server/domain/mapping/delivery";
import { KEY_PARAMETER } from "./door-key";

/** Bounds of what is taken of a path and of headers; what is beyond is left out. Values in a query are data: HTTP bounds them (16 KiB a request's head). */
const MOST = { levels: 16, names: 64, text: 1024 } as const;

/** Headers that a mapping may read: those of senders, not those of the way here. */
const READ = /^(x-|ce-|aeg-|user-agent$|date$)/;
/** Headers that may hold what nobody else should know, or tell of proxies. */
const HIDDEN = /key|token|secret|auth|signature|password|cookie|^x-forwarded|^x-real-ip$|^x-fieldwatch/;

/** What came beside a body by HTTP, without keys. @param levels of the address that lead to the source. */
export function besideOf({ url, headers }: Pick<Request, "url" | "headers">, levels: number): Beside {
  const { pathname, searchParams } = new URL(url);
  const query = [...searchParams].filter(([name]) => name !== KEY_PARAMETER && !HIDDEN.test(name.toLowerCase()));
  const read = [...headers].filter(([name]) => READ.test(name) && !HIDDEN.test(name));
  return {
    contentType: headers.get("content-type")?.slice(0, 256) ?? null,
    topic: null,
    retained: false,
    // A slash at the end begins no further level.
    path: pathname
      .replace(/\/$/, "")
      .split("/")
      .slice(levels + 1, levels + 1 + MOST.levels)
      .map((level) => decodeURIComponent(level).slice(0, MOST.text)),
    query: firstOf(query),
    headers: cut(read),
    kafka: null,
  };
}

/** The same, of a body that is still packed: what reads it goes by that. */
export function besidePacked(beside: Beside, encoding: string): Beside {
  return { ...beside, headers: { ...beside.headers, "content-encoding": encoding.slice(0, MOST.text) } };
}

function cut(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return firstOf(
    pairs.slice(0, MOST.names).map(([name, value]) => [name.slice(0, 128), value.slice(0, MOST.text)] as const),
  );
}

/** The first of each name. */
function firstOf(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  return Object.fromEntries(pairs.filter(([name]) => name !== "__proto__").toReversed());
}
