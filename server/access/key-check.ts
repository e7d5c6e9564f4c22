import { timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { Pool } from "pg";
import { inBatches } from "@/server/async/in-batches";
import { type Caller, type Grant, type KeyKind, nobody } from "@/server/domain/access";
import { createKnownCallers, type Found } from "./known-callers";
import { hashOf, readKey } from "./secrets";

/** Tells whose a key is: the one place where keys are checked, whichever way they came. */
export interface KeyCheck {
  /**
   * The caller whose key this text is; nobody, with the reason, for what is none, unknown, ended, or not to be used from this address. At once
   * when it is known. @throws when PostgreSQL is away and it isn't known from before.
   */
  callerOf(text: string, address: string | null): Caller | Promise<Caller>;
  /** What is known may be wrong: nothing of it is told any more. */
  forget(): void;
  /** What is known may be old: all of it is asked for again. */
  doubt(): void;
}

/** So long a key is known without asking again; forget() cuts it short. */
const KEY_MS = 60_000;
/** Between two notes of which keys are used. */
const USE_NOTES_MS = 5000;
/** Keys asked for at once: however many guess, they take one connection of the pool. */
const MOST_AT_ONCE = 500;

export function createKeyCheck(pool: Pool): KeyCheck {
  const known = createKnownCallers<FoundKey>(KEY_MS, (found) => ask(found.asked!, found.from));
  const find = inBatches(MOST_AT_ONCE, (asked: readonly AskedKey[]) => findKeys(pool, asked));
  const noteUse = createUseNotes(pool);

  async function ask(asked: AskedKey, from: string | null): Promise<FoundKey> {
    const found = await find(asked);
    if (found.caller.kind === "key") noteUse(asked.id, from);
    return { ...found, from };
  }

  async function askFor(text: string, address: string | null): Promise<Caller> {
    const found = await known.get(text, async () => {
      const key = readKey(text);
      return key === null ? NO_KEY : ask({ kind: key.kind, id: key.id, hash: hashOf(key.secret) }, address);
    });
    return callerAt(found, address);
  }

  return {
    callerOf(text, address) {
      const found = known.told(text);
      return found === null ? askFor(text, address) : callerAt(found, address);
    },
    forget: known.forget,
    doubt: known.doubt,
  };
}

function callerAt(found: FoundKey, address: string | null): Caller {
  const { caller, networks } = found;
  if (caller.kind !== "key") return caller;
  if (found.from !== address) found.from = address;
  if (networks === null || isWithin(networks, address)) return caller;
  const { keyId: id, name } = caller;
  return nobody(`The key ${name} may not be used from ${address ?? "there"}.`, { id, name });
}

const NO_KEY: FoundKey = {
  caller: nobody("This is no key: one begins with `fw`, and must be whole."),
  networks: null,
  lastsMs: Infinity,
  asked: null,
  from: null,
};

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
