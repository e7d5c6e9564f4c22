import { timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { Pool } from "pg";
import { inBatches } from "@/server/async/in-batches";
import { type Caller, type Grant, type KeyKind, NOBODY } from "@/server/domain/access";
import { createKnownCallers, type Found } from "./known-callers";
import { hashOf, isSecret, readKey } from "./secrets";
import { findSessions } from "./sessions";

/** What a caller shows: its cookies, its Authorization header, and how and from where it comes. */
export interface Credentials {
  readonly cookie: string | null;
  readonly authorization: string | null;
  readonly address: string | null;
  readonly isHttps: boolean;
}

/**
 * What may have changed: sessions and roles of people, keys and their roles, what of the catalog decides who may send for a device, sources; or
 * anything, as something may have been missed.
 */
export type Changed = "people" | "keys" | "catalog" | "sources" | "anything";

export interface Authenticator {
  /** Who this is; nobody, with the reason, for what is missing, unknown or ended. @throws when PostgreSQL is away and it isn't known from before. */
  callerOf(credentials: Credentials): Promise<Caller>;
  /** Asks again for who may have changed. */
  forget(changed: Changed): void;
}

/** So long a caller is known without asking again; forget() cuts it short. */
const SESSION_MS = 5000;
const KEY_MS = 60_000;
/** Between two notes of which keys are used. */
const USE_NOTES_MS = 5000;
/** Callers asked for at once. */
const MOST_AT_ONCE = 500;

/** The session's cookie over https, and the one over http: what another page has set on http is worth nothing on https. */
export interface CookieNames {
  readonly secure: string;
  readonly plain: string;
}

/** Tells callers by the cookie of this name, or by a key as bearer token. */
export function createAuthenticator(pool: Pool, cookies: CookieNames): Authenticator {
  // Apart, so that a key shown as a cookie is no caller.
  const people = createKnownCallers<Found>(SESSION_MS);
  const keys = createKnownCallers<FoundKey>(KEY_MS, (known) => askKey(known.asked!, known.from));
  // However many guess, they take one connection of the pool.
  const findSession = inBatches(MOST_AT_ONCE, (secrets: readonly string[]) => findSessions(pool, secrets));
  const findKey = inBatches(MOST_AT_ONCE, (asked: readonly AskedKey[]) => findKeys(pool, asked));
  const noteUse = createUseNotes(pool);

  async function askKey(asked: AskedKey, from: string | null): Promise<FoundKey> {
    const found = await findKey(asked);
    if (found.caller.kind === "key") noteUse(asked.id, from);
    return { ...found, from };
  }

  async function personOf(secret: string): Promise<Caller> {
    const { caller } = await people.get(secret, async () => {
      const found = await findSession(secret);
      return found ?? { caller: nobody(ENDED), lastsMs: Infinity };
    });
    return caller;
  }

  return {
    async callerOf({ cookie, authorization, address, isHttps }) {
      if (authorization !== null) {
        const [, token = ""] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
        // Read only when it isn't known: that costs as much as all the rest.
        const found = await keys.get(token, async () => {
          const key = readKey(token);
          return key === null ? NO_KEY : askKey({ kind: key.kind, id: key.id, hash: hashOf(key.secret) }, address);
        });
        const { caller, networks } = found;
        if (caller.kind === "key") found.from = address;
        if (networks === null || caller.kind !== "key" || isWithin(networks, address)) return caller;
        const { keyId: id, name } = caller;
        return nobody(`The key ${name} may not be used from ${address ?? "there"}.`, { id, name });
      }
      const secrets = cookiesIn(cookie, isHttps ? cookies.secure : cookies.plain);
      if (secrets.length === 0) return NOBODY;
      if (secrets.length > MOST_COOKIES) return TWO_COOKIES;
      const [first, second] = (await Promise.all(secrets.filter(isSecret).map(personOf))).filter(
        ({ kind }) => kind === "user",
      );
      return second === undefined ? (first ?? nobody(ENDED)) : TWO_COOKIES;
    },
    forget(changed) {
      if (changed === "people") people.forget();
      else if (changed === "keys") keys.forget();
      else if (changed === "anything") for (const known of [people, keys]) known.doubt();
    },
  };
}

const NO_KEY: FoundKey = {
  caller: nobody("The Authorization header holds no key: it must be `Bearer fw…`, whole."),
  networks: null,
  lastsMs: Infinity,
  asked: null,
  from: null,
};
const ENDED = "The session has ended.";
/** Over plain HTTP a page on another port of this host can put a session of its own beside ours: which one is meant can't be told. */
const TWO_COOKIES: Caller = {
  ...{ kind: "nobody", isAmbiguous: true },
  why: "There are two session cookies: clear this host's cookies in the browser, and sign in again.",
};
/** Cookies of our name that are looked at; a browser of somebody's has one. */
const MOST_COOKIES = 8;

/** Nobody, and why. @param key the one that was shown, with its right secret. */
function nobody(why: string, key?: { readonly id: string; readonly name: string }): Caller {
  return { kind: "nobody", why, ...(key && { key }) };
}

/** The different values that a Cookie header has under this name: more than one only if another page has set some. */
export function cookiesIn(header: string | null, wanted: string): string[] {
  const values = new Set<string>();
  for (const part of header?.split(";") ?? []) {
    const [name = "", value = ""] = part.trim().split("=", 2);
    if (name === wanted && value !== "") values.add(value);
  }
  return [...values];
}

interface AskedKey {
  readonly kind: KeyKind;
  readonly id: string;
  readonly hash: Buffer;
}

interface FoundKey extends Found {
  /** Where it may be used from; null: anywhere. */
  readonly networks: BlockList | null;
  /** By what it was asked for, which is no secret; null: it was none of ours. */
  readonly asked: AskedKey | null;
  /** Where it was used from last. */
  from: string | null;
}

interface KeyRow {
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly secretHash: Buffer;
  readonly siteId: number | null;
  readonly device: string | null;
  readonly sourceId: number | null;
  readonly networks: string[];
  readonly ended: "expired" | "revoked" | null;
  readonly lastsMs: number | null;
  readonly grants: Grant[];
}

/** What the database says of keys, in their order. */
async function findKeys(pool: Pool, asked: readonly AskedKey[]): Promise<FoundKey[]> {
  const { rows } = await pool.query<KeyRow>(
    `SELECT k.id, k.kind, k.name, k.secret_hash AS "secretHash", coalesce(s.site_id, k.site_id) AS "siteId", k.device, k.source_id AS "sourceId",
       k.networks,
       CASE WHEN k.revoked_at <= now() THEN 'revoked' WHEN k.expires_at <= now() THEN 'expired' END AS ended,
       (extract(epoch FROM k.expires_at - now()) * 1000)::float8 AS "lastsMs",
       coalesce((SELECT json_agg(json_build_object('role', g.role, 'siteId', g.site_id)) FROM role_grant g WHERE g.key_id = k.id), '[]') AS grants
     FROM access_key k LEFT JOIN source s ON s.id = k.source_id WHERE k.id = ANY($1)`,
    [asked.map(({ id }) => id)],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return asked.map((key) => readFound(key, byId.get(key.id)));
}

/** Notes of keys, to the minute, that they are used: all of some seconds in one statement, which no request waits for. */
function createUseNotes(pool: Pool): (id: string, address: string | null) => void {
  let used = new Map<string, string | null>();
  const write = () => {
    const notes = [...used];
    used = new Map();
    // Other processes note the same: each leaves alone what another is at. What can't be written is noted at the next use.
    pool
      .query(
        `WITH due AS (SELECT id FROM access_key WHERE id = ANY($1) AND last_used_at IS DISTINCT FROM date_trunc('minute', now()) FOR UPDATE SKIP LOCKED)
         UPDATE access_key k SET last_used_at = date_trunc('minute', now()), last_used_from = used.address
         FROM due JOIN unnest($1::text[], $2::text[]) used (id, address) USING (id) WHERE k.id = due.id`,
        [notes.map(([id]) => id), notes.map(([, address]) => address)],
      )
      .catch(() => undefined);
  };
  return (id, address) => {
    if (used.size === 0) setTimeout(write, USE_NOTES_MS).unref();
    used.set(id, address);
  };
}

function readFound(asked: AskedKey, row: KeyRow | undefined): FoundKey {
  const { kind, id, hash } = asked;
  const refused = (why: string, key?: { readonly id: string; readonly name: string }) => ({
    ...{ caller: nobody(why, key), networks: null, lastsMs: Infinity, asked, from: null },
  });
  if (row === undefined || row.kind !== kind || !timingSafeEqual(row.secretHash, hash))
    return refused("The key is not known here.");
  if (row.ended !== null) return refused(`The key ${row.name} is ${row.ended}.`, { id, name: row.name });
  const { name, siteId, device, sourceId, networks, grants, lastsMs } = row;
  return {
    caller: { kind: "key", keyId: id, name, of: kind, siteId, device, ...(sourceId !== null && { sourceId }), grants },
    networks: networks.length === 0 ? null : blockListOf(networks),
    lastsMs: lastsMs ?? Infinity,
    ...{ asked, from: null },
  };
}

/** Addresses and CIDR blocks as one list. What is none lets nobody in. */
function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    try {
      list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
    } catch {
      // Written past the checks of the API; the others of the list count all the same.
    }
  }
  return list;
}

function isWithin(list: BlockList, address: string | null): boolean {
  const plain = address?.replace(/^::ffff:/i, "") ?? "";
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? "ipv6" : "ipv4");
}
