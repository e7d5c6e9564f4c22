import type { Grant, KeyKind } from "@/server/domain/access";
import type { EpochMs } from "@/server/domain/terms";
import type { PrismaClient } from "@/server/postgres/prisma";
import { hashOf, newKey } from "./secrets";

/** What is to be known of a key; never its secret. */
export interface Key {
  readonly id: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly device: string | null;
  readonly networks: readonly string[];
  readonly madeBy: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly lastUsedFrom: string | null;
  readonly grants: readonly Grant[];
}

const SHAPE = {
  id: true,
  kind: true,
  name: true,
  device: true,
  networks: true,
  madeBy: true,
  createdAt: true,
  expiresAt: true,
  revokedAt: true,
  lastUsedAt: true,
  lastUsedFrom: true,
  grants: { select: { role: true, siteId: true } },
} as const;

/** A key that is to be made. */
export interface WantedKey {
  readonly kind: KeyKind;
  readonly name: string;
  readonly device: string | null;
  readonly networks: readonly string[];
  readonly expiresAt: EpochMs | null;
  readonly grants: readonly Grant[];
}

/** All keys, newest first. */
export async function listKeys(prisma: PrismaClient): Promise<Key[]> {
  return (await prisma.accessKey.findMany({ select: SHAPE, orderBy: [{ createdAt: "desc" }, { id: "asc" }] })).map(
    toKey,
  );
}

/** The key of this id, or null. */
export async function findKey(prisma: PrismaClient, id: string): Promise<Key | null> {
  const row = await prisma.accessKey.findUnique({ where: { id }, select: SHAPE });
  return row && toKey(row);
}

/** Makes a key. @returns it with its text, which can't be had again. */
export async function makeKey(
  prisma: PrismaClient,
  wanted: WantedKey,
  madeBy: string,
): Promise<{ key: Key; text: string }> {
  const { text, id, secret } = newKey(wanted.kind);
  const { grants, expiresAt, networks, ...plain } = wanted;
  const data = {
    ...plain,
    id,
    madeBy,
    secretHash: new Uint8Array(hashOf(secret)),
    networks: [...networks],
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    grants: { create: grants.map((grant) => ({ ...grant })) },
  };
  return { key: toKey(await prisma.accessKey.create({ data, select: SHAPE })), text };
}

/** Ends a key for good. @returns it, or null when there is none such. */
export async function revokeKey(prisma: PrismaClient, id: string, now: EpochMs): Promise<Key | null> {
  await prisma.accessKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date(now) } });
  return findKey(prisma, id);
}

interface KeyRow extends Omit<Key, "kind" | "grants" | "createdAt" | "expiresAt" | "revokedAt" | "lastUsedAt"> {
  readonly kind: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly lastUsedAt: Date | null;
  readonly grants: readonly { readonly role: string; readonly siteId: number | null }[];
}

function toKey({ kind, createdAt, expiresAt, revokedAt, lastUsedAt, grants, ...row }: KeyRow): Key {
  return {
    ...row,
    kind: kind as KeyKind,
    createdAt: createdAt.getTime(),
    expiresAt: expiresAt?.getTime() ?? null,
    revokedAt: revokedAt?.getTime() ?? null,
    lastUsedAt: lastUsedAt?.getTime() ?? null,
    grants: grants as readonly Grant[],
  };
}
