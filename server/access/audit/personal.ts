import { createHash, randomBytes } from "node:crypto";

/** A value that says something of a person. The record keeps it apart from its rows, where it can be erased. */
export class Personal {
  constructor(
    /** null: there is none. */
    readonly value: string | null,
    /** Whose it is; null: not known. */
    readonly accountId: number | null,
  ) {}
}

/** A personal value as it is kept beside its row. */
export interface KeptValue {
  /** Where it belongs in the row: `actor`, `detail.before.email`. */
  readonly path: string;
  readonly accountId: number | null;
  readonly salt: Buffer;
  readonly value: string;
}

/** What stands in the row for a personal value: nobody can guess it without the salt, which is erased with the value. */
export function commitmentTo(salt: Uint8Array, value: string): string {
  return createHash("sha256").update(salt).update(value).digest("base64url");
}

/**
 * Takes personal values out of a document, and makes what is left fit for jsonb.
 * @returns the document with null in their places, and the values.
 */
export function setApart(document: unknown): { readonly rest: unknown; readonly values: KeptValue[] } {
  const values: KeptValue[] = [];
  const walk = (part: unknown, path: string): unknown => {
    if (part instanceof Personal) {
      const value = part.value === null ? null : storable(part.value);
      if (value !== null) values.push({ path, accountId: part.accountId, salt: randomBytes(32), value });
      return null;
    }
    if (typeof part === "string") return storable(part);
    if (Array.isArray(part)) return part.map((each, i) => walk(each, `${path}.${i}`));
    if (typeof part !== "object" || part === null) return part;
    return Object.fromEntries(
      Object.entries(part)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => [storable(key), walk(each, path === "" ? key : `${path}.${key}`)]),
    );
  };
  return { rest: walk(document, ""), values };
}

/** Puts `value` where `path` says. */
export function putBack(document: Record<string, unknown>, path: string, value: string): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  let at: unknown = document;
  for (const key of keys) at = (at as Record<string, unknown> | null)?.[key];
  if (typeof at === "object" && at !== null && Object.hasOwn(at, last)) (at as Record<string, unknown>)[last] = value;
}

/** PostgreSQL takes neither NUL nor half a character. */
function storable(text: string): string {
  return text.replace(/\p{Surrogate}|\0/gu, "\uFFFD");
}
