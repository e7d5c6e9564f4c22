import type { DecoderName } from "@/server/domain/mapping/mapping";
import type { Taken } from "@/server/sources/intake";

/** Something that went wrong, as whoever speaks the protocol is told. */
export interface Trouble {
  readonly status: number;
  readonly detail: string;
  /** Seconds, or null where trying again won't help. */
  readonly retryAfter: string | null;
}

/** How one protocol of others is answered at an address of its own. The key says which source it is. */
export interface Protocol {
  readonly method: "GET" | "HEAD" | "POST";
  readonly path: string;
  /** What the mapping of its source must read. */
  readonly decode: DecoderName;
  /** An encoding of the body that its decoder unpacks itself. */
  readonly unpacks?: "snappy";
  /** Where `taken` is null the request brought nothing to take, and needs no key. */
  readonly takes: boolean;
  /** As the OpenAPI document tells of it. */
  readonly summary: string;
  readonly good: { readonly status: 200 | 204; readonly description: string };
  /** Content type of the body → what it is. */
  readonly bodies?: Readonly<Record<string, string>>;
  /** Query parameters that mean something, and what. */
  readonly query?: Readonly<Record<string, string>>;
  answer(request: Request, taken: Taken | null): Response;
  trouble(request: Request, trouble: Trouble): Response;
}

/** A refusal in one line, and how many more there are. Kept deliveries aren't told: they are dead letters that a person mends. */
export function refusalsOf({ refused, refusals, isKept }: Taken): string | null {
  if (refusals === 0 || isKept) return null;
  const told = refused
    .slice(0, 3)
    .map(({ path, reason, detail }) => `${path === "" ? "all of it" : path}: ${detail || reason}`);
  const more = refusals - told.length;
  return `${told.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

/** @param retryAfter is told only where the same request may be taken later. */
export function plain(
  status: number,
  body: BodyInit | null,
  type: string | null,
  retryAfter: string | null = null,
): Response {
  const headers = new Headers({ "cache-control": "no-store, no-transform" });
  if (type !== null) headers.set("content-type", type);
  if (retryAfter !== null) headers.set("retry-after", retryAfter);
  return new Response(body, { status, headers });
}
