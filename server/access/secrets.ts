import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { KeyKind } from "@/server/domain/access";

const PREFIXES = { service: "fwk", site: "fws", device: "fwd", source: "fwi" } as const satisfies Record<
  KeyKind,
  string
>;
const KINDS = new Map(Object.entries(PREFIXES).map(([kind, prefix]) => [prefix as string, kind as KeyKind]));

/** A key as its holder has it: `<prefix>_<12 characters id>_<43 characters secret><6 characters checksum>`. */
const KEY = /^(fwk|fws|fwd|fwi)_([0-9a-z]{12})_([A-Za-z0-9_-]{43})([0-9a-f]{6})$/;

/** 256 random bits for a cookie or a link, in base64url. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** False for what was never the secret of a cookie or a link, without asking anybody. */
export function isSecret(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** What is kept of a secret. It has 256 random bits, so a fast hash is enough: there is nothing to guess. */
export function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** A new key of this kind: the text its holder gets once, the public id, and the secret part to keep as a hash. */
export function newKey(kind: KeyKind): { readonly text: string; readonly id: string; readonly secret: string } {
  const id = [...randomBytes(12)].map((byte) => (byte % 36).toString(36)).join("");
  const secret = newSecret();
  return { text: textOf(PREFIXES[kind], id, secret), id, secret };
}

/** The parts of a key, or null when it was never one of ours: mistyped and cut keys are told without the database. */
export function readKey(text: string): { readonly kind: KeyKind; readonly id: string; readonly secret: string } | null {
  const [, prefix = "", id = "", secret = ""] = KEY.exec(text) ?? [];
  const kind = KINDS.get(prefix);
  return kind !== undefined && textOf(prefix, id, secret) === text ? { kind, id, secret } : null;
}

function textOf(prefix: string, id: string, secret: string): string {
  const body = `${prefix}_${id}_${secret}`;
  return body + (crc32(body) >>> 8).toString(16).padStart(6, "0");
}
