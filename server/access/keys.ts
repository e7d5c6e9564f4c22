import type { PoolClient } from "pg";
import type { Grant, KeyKind, Role, Signature, Sites } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { PrismaClient } from "@/server/postgres/prisma";
import { hashOf, newKey } from "./secrets";

/** What is to be known of a key; never its secret. */
export interface Key {
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly device: string | null;
  /** The source it sends to, of a source's key. */
  readonly source: { readonly id: number; readonly name: string } | null;
  /** The site it speaks for, or at which a program has its role; null: all of them. */
  readonly site: { readonly id: number; readonly name: string } | null;
  readonly networks: readonly string[];
  readonly madeBy: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly lastUsedFrom: string | null;
  readonly grants: readonly Grant[];
  /** The first of the keys that were made by rotating, one from the other; null: it is that one itself. */
  readonly line: string | null;
}

const SITE = { select: { id: true, name: true } } as const;

const SHAPE = {
  id: true,
  kind: true,
  name: true,
  device: true,
  networks: true,
  madeBy: true,
  maker: { select: { name: true } },
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  lastUsedFrom: true,
  site: SITE,
  source: { select: { id: true, name: true, site: SITE } },
  line: true,
  grants: { select: { role: true, siteId: true, site: SITE } },
} as const;

/** A key that is to be made. */
export interface WantedKey {
  readonly kind: KeyKind;
  readonly name: string;
  readonly device: string | null;
  /** The site that a site or device key speaks for; left out or null: all. */
  readonly siteId?: number | null;
  /** The source that a source's key sends to. */
  readonly sourceId?: number;
  readonly networks: readonly string[];
  readonly expiresAt: EpochMs | null;
  readonly grants: readonly Grant[];
  /** As in {@link Key}; left out for a key that takes no other's place. */
  readonly line?: string | null;
}

/** All keys of these sites, newest first; those of no site only where all are meant. */
export async function listKeys(prisma: PrismaClient, sites: Sites): Promise<Key[]> {
  const at = { siteId: { in: sites === "all" ? [] : [...sites] } };
  const rows = await prisma.accessKey.findMany({
    select: SHAPE,
    ...(sites !== "all" && { where: { OR: [at, { grants: { some: at } }, { source: at }] } }),
    orderBy: [{ createdAt: "desc" }, { id: "asc" }],
  });
  return rows.map(toKey);
}

/** All keys of a source, newest first. */
export async function listSourceKeys(prisma: PrismaClient, sourceId: number): Promise<Key[]> {
  const rows = await prisma.accessKey.findMany({
    select: SHAPE,
    where: { sourceId },
    orderBy: [{ createdAt: "desc" }, { id: "asc" }],
  });
  return rows.map(toKey);
}

/** The key of this id, or null. */
export async function findKey(prisma: PrismaClient, id: string): Promise<Key | null> {
  const row = await prisma.accessKey.findUnique({ where: { id }, select: SHAPE });
  return row && toKey(row);
}

const DAY_MS = 86_400_000;
/** Days after which a program's key expires, when nothing is said of it; keys in devices are not changed so easily. */
const SERVICE_DAYS = 90;

/** When a new key expires. @param days null for never; left out for what is usual for its kind. */
export function expiryOf(kind: KeyKind, days: number | null | undefined, now: EpochMs): EpochMs | null {
  const lasts = days === undefined ? (kind === "service" ? SERVICE_DAYS : null) : days;
  return lasts === null ? null : now + lasts * DAY_MS;
}

/** What to make for a key to take the place of another one: the same in all, for as long again. */
export function sameAgain(
  { id, kind, name, device, source, site, networks, grants, createdAt, expiresAt, line }: Key,
  now: EpochMs,
): WantedKey {
  return {
    ...{ kind, name, device, networks, grants },
    siteId: kind === "service" || kind === "source" ? null : (site?.id ?? null),
    ...(source !== null && { sourceId: source.id }),
    expiresAt: expiresAt === null ? null : now + (expiresAt - createdAt),
    line: line ?? id,
  };
}

/** Makes a key. @returns it with its text, which can't be had again. */
export async function makeKey(
  prisma: PrismaClient,
  wanted: WantedKey,
  { text: madeBy, accountId: makerId }: Signature,
): Promise<{ key: Key; text: string }> {
  const { text, id, secret } = newKey(wanted.kind);
  const { grants, expiresAt, networks, ...plain } = wanted;
  const data = {
    ...plain,
    id,
    madeBy,
    makerId,
    secretHash: new Uint8Array(hashOf(secret)),
    networks: [...networks],
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    grants: { create: grants.map((grant) => ({ ...grant })) },
  };
  return { key: toKey(await prisma.accessKey.create({ data, select: SHAPE })), text };
}

/** The keys that this one takes the place of, or that take its place, and itself: those that work now. Nobody rotates them until `tx` ends. */
export async function workingInLine(tx: PoolClient, { id, line }: Pick<Key, "id" | "line">): Promise<string[]> {
  // Who waited here finds what the one before has made only by asking after it.
  await tx.query(`SELECT FROM access_key WHERE id = $1 FOR UPDATE`, [line ?? id]);
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM access_key WHERE (id = $1 OR line = $1) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
     ORDER BY created_at, id`,
    [line ?? id],
  );
  return rows.map((row) => row.id);
}

/** Ends a key for good. @returns it, or null when there is none such. */
export async function revokeKey(prisma: PrismaClient, id: string, now: EpochMs): Promise<Key | null> {
  await prisma.accessKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date(now) } });
  return findKey(prisma, id);
}

interface KeyRow extends Omit<
  Key,
  "kind" | "source" | "grants" | "createdAt" | "expiresAt" | "revokedAt" | "lastUsedAt"
> {
  readonly kind: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly source: (Key["source"] & { readonly site: Key["site"] }) | null;
  readonly maker: { readonly name: string } | null;
  readonly grants: readonly { readonly role: string; readonly siteId: number | null; readonly site: Key["site"] }[];
}

function toKey({
  kind,
  site,
  source,
  createdAt,
  expiresAt,
  revokedAt,
  lastUsedAt,
  maker,
  grants,
  ...row
}: KeyRow): Key {
  return {
    ...row,
    madeBy: maker?.name ?? row.madeBy,
    source: source && { id: source.id, name: source.name },
    site: site ?? source?.site ?? grants.find((grant) => grant.site !== null)?.site ?? null,
    kind: kind as KeyKind,
    createdAt: createdAt.getTime(),
    expiresAt: expiresAt?.getTime() ?? null,
    revokedAt: revokedAt?.getTime() ?? null,
    lastUsedAt: lastUsedAt?.getTime() ?? null,
    grants: grants.map(({ role, siteId }) => ({ role: role as Role, siteId })),
  };
}
