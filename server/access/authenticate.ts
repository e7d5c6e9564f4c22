import { timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { Pool } from "pg";
import { type Caller, type Grant, type KeyKind, NOBODY } from "@/server/domain/access";
import { isRetryable } from "@/server/postgres/error-classes";
import { hashOf, readKey } from "./secrets";
import { findSession } from "./sessions";

/** What a caller shows: its cookies, its Authorization header, and where it comes from. */
export interface Credentials {
  readonly cookie: string | null;
  readonly authorization: string | null;
  readonly address: string | null;
}

export interface Authenticator {
  /** Who this is; nobody, with the reason, for what is missing, unknown or ended. @throws when PostgreSQL is away and it isn't known from before. */
  callerOf(credentials: Credentials): Promise<Caller>;
  /** Forgets everything it knew. */
  forget(): void;
}

/** So long a caller is known without asking again; forget() cuts it short. */
const SESSION_MS = 5000;
const KEY_MS = 30_000;
/** While PostgreSQL is away callers from before stay known: health must be seen then, and nothing can be revoked. */
const WITHOUT_DATABASE_MS = 3_600_000;
const MOST_KNOWN = 20_000;

interface Known {
  readonly caller: Caller;
  readonly networks: BlockList | null;
  /** Monotonic, in milliseconds. */
  readonly at: number;
  readonly keepMs: number;
}

/** Tells callers by the cookie of this name, or by a key as bearer token. */
export function createAuthenticator(pool: Pool, cookieNames: readonly string[]): Authenticator {
  const known = new Map<string, Known>();

  async function lookUp(secret: string, find: () => Promise<Omit<Known, "at">>): Promise<Known> {
    const id = hashOf(secret).toString("base64");
    const before = known.get(id);
    const age = before === undefined ? Infinity : performance.now() - before.at;
    if (before !== undefined && age < before.keepMs) return before;
    try {
      const found = { ...(await find()), at: performance.now() };
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(id, found);
      return found;
    } catch (error) {
      if (before !== undefined && age < WITHOUT_DATABASE_MS && isRetryable(error)) return before;
      throw error;
    }
  }

  return {
    async callerOf({ cookie, authorization, address }) {
      if (authorization !== null) {
        const [, token = ""] = /^bearer +(\S+)$/i.exec(authorization) ?? [];
        const key = readKey(token);
        if (key === null) return nobody("The Authorization header holds no key: it must be `Bearer fw…`, whole.");
        const { caller, networks } = await lookUp(token, () => findKey(pool, key, address));
        if (networks === null || isWithin(networks, address)) return caller;
        return nobody(`The key may not be used from ${address ?? "there"}.`);
      }
      const secret = cookieOf(cookie, cookieNames);
      if (secret === null) return NOBODY;
      const found = await lookUp(secret, async () => ({
        caller: (await findSession(pool, secret)) ?? nobody("The session has ended."),
        networks: null,
        keepMs: SESSION_MS,
      }));
      return found.caller;
    },
    forget: () => known.clear(),
  };
}

/** Nobody, and why. */
function nobody(why: string): Caller {
  return { kind: "nobody", why };
}

/** The value of the first of these cookies that is there. */
function cookieOf(header: string | null, names: readonly string[]): string | null {
  for (const part of header?.split(";") ?? []) {
    const [name = "", value = ""] = part.trim().split("=", 2);
    if (names.includes(name) && value !== "") return value;
  }
  return null;
}

interface KeyRow {
  readonly name: string;
  readonly secretHash: Buffer;
  readonly siteId: number | null;
  readonly device: string | null;
  readonly networks: string[];
  readonly ended: "expired" | "revoked" | null;
  readonly grants: Grant[];
}

async function findKey(
  pool: Pool,
  { kind, id, secret }: { kind: KeyKind; id: string; secret: string },
  address: string | null,
): Promise<Omit<Known, "at">> {
  const { rows } = await pool.query<KeyRow>(
    `SELECT k.name, k.secret_hash AS "secretHash", k.site_id AS "siteId", k.device, k.networks,
       CASE WHEN k.revoked_at <= now() THEN 'revoked' WHEN k.expires_at <= now() THEN 'expired' END AS ended,
       coalesce((SELECT json_agg(json_build_object('role', g.role, 'siteId', g.site_id)) FROM role_grant g WHERE g.key_id = k.id), '[]') AS grants
     FROM access_key k WHERE k.id = $1 AND k.kind = $2`,
    [id, kind],
  );
  const [row] = rows;
  const refused = (why: string) => ({ caller: nobody(why), networks: null, keepMs: KEY_MS });
  if (row === undefined || !timingSafeEqual(row.secretHash, hashOf(secret)))
    return refused("The key is not known here.");
  if (row.ended !== null) return refused(`The key ${row.name} is ${row.ended}.`);
  await pool.query(
    `UPDATE access_key SET last_used_at = date_trunc('minute', now()), last_used_from = $2
     WHERE id = $1 AND last_used_at IS DISTINCT FROM date_trunc('minute', now())`,
    [id, address],
  );
  const { name, siteId, device, networks, grants } = row;
  return {
    caller: { kind: "key", keyId: id, name, of: kind, siteId, device, grants },
    networks: networks.length === 0 ? null : blockListOf(networks),
    keepMs: KEY_MS,
  };
}

/** Addresses and CIDR blocks as one list. */
function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    list.addSubnet(address, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  }
  return list;
}

function isWithin(list: BlockList, address: string | null): boolean {
  const plain = address?.replace(/^::ffff:/i, "") ?? "";
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 6 ? "ipv6" : "ipv4");
}
