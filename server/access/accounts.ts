import type { Grant } from "@/server/domain/access";
import { GRANT, type NamedGrant, toNamed } from "./grants";
import type { EpochMs } from "@/server/domain/terms";
import type { PrismaClient } from "@/server/postgres/prisma";
import { hashPassword } from "./passwords";

/** A person who may come in. */
export interface Account {
  readonly id: number;
  readonly name: string;
  /** What the person signs in with beside a password; null without one. */
  readonly email: string | null;
  readonly hasPassword: boolean;
  /** True if the identity provider says their name and roles. */
  readonly fromProvider: boolean;
  readonly createdAt: EpochMs;
  readonly disabledAt: EpochMs | null;
  readonly grants: readonly NamedGrant[];
}

const SHAPE = {
  id: true,
  name: true,
  email: true,
  password: true,
  createdAt: true,
  disabledAt: true,
  grants: GRANT,
  identity: { select: { issuer: true } },
} as const;

/** All accounts, oldest first. */
export async function listAccounts(prisma: PrismaClient): Promise<Account[]> {
  return (await prisma.account.findMany({ select: SHAPE, orderBy: { id: "asc" } })).map(toAccount);
}

/** The account of this number, or null. */
export async function findAccount(prisma: PrismaClient, id: number): Promise<Account | null> {
  const row = await prisma.account.findUnique({ where: { id }, select: SHAPE });
  return row && toAccount(row);
}

/** Adds a person, without a password. @throws EmailTakenError. */
export async function addAccount(
  prisma: PrismaClient,
  { name, email, grants }: { name: string; email: string | null; grants: readonly Grant[] },
): Promise<Account> {
  const data = { name, email, grants: { create: grants.map((grant) => ({ ...grant })) } };
  return toAccount(await orTaken(prisma.account.create({ data, select: SHAPE })));
}

/** What to change of an account; what is left out stays. */
export interface AccountChanges {
  readonly name?: string | undefined;
  readonly email?: string | null | undefined;
  readonly disabled?: boolean | undefined;
  readonly grants?: readonly Grant[] | undefined;
}

/** Changes an account, which must be there. Who is disabled or given other roles is signed out everywhere. @throws EmailTakenError. */
export async function changeAccount(
  prisma: PrismaClient,
  id: number,
  changes: AccountChanges,
  now: EpochMs,
): Promise<Account> {
  const { grants, disabled, ...plain } = changes;
  const data = {
    ...(plain.name !== undefined && { name: plain.name }),
    ...(plain.email !== undefined && { email: plain.email }),
    ...(disabled !== undefined && { disabledAt: disabled ? new Date(now) : null }),
    ...(grants !== undefined && { grants: { deleteMany: {}, create: grants.map((grant) => ({ ...grant })) } }),
    ...((disabled === true || grants !== undefined) && { sessions: { deleteMany: {} } }),
  };
  return toAccount(await orTaken(prisma.account.update({ where: { id }, data, select: SHAPE })));
}

/** Removes an account, which must be there, with its grants and sessions. */
export async function removeAccount(prisma: PrismaClient, id: number): Promise<void> {
  await prisma.account.delete({ where: { id } });
}

/** Sets the password, and the e-mail address to sign in with. @throws EmailTakenError. */
export async function setPassword(prisma: PrismaClient, id: number, email: string, password: string): Promise<void> {
  await orTaken(prisma.account.update({ where: { id }, data: { email, password: await hashPassword(password) } }));
}

/** Another account has that e-mail address. */
export class EmailTakenError extends Error {
  override readonly name = "EmailTakenError";
}

/** Looking first would not do: two may take it at once. P2002 is Prisma's code for what must be unique. */
function orTaken<T>(written: PromiseLike<T>): PromiseLike<T> {
  return written.then(undefined, (error: unknown) => {
    throw (error as { code?: unknown }).code === "P2002" ? new EmailTakenError() : error;
  });
}

/** True if somebody but this account could still let people in. */
export async function hasOtherAdmin(prisma: PrismaClient, id: number): Promise<boolean> {
  const where = { id: { not: id }, disabledAt: null, grants: { some: { role: "admin", siteId: null } } };
  return (await prisma.account.count({ where })) > 0;
}

interface AccountRow {
  readonly id: number;
  readonly name: string;
  readonly email: string | null;
  readonly password: string | null;
  readonly createdAt: Date;
  readonly disabledAt: Date | null;
  readonly grants: Parameters<typeof toNamed>[0];
  readonly identity: object | null;
}

function toAccount({ password, createdAt, disabledAt, grants, identity, ...row }: AccountRow): Account {
  return {
    ...row,
    hasPassword: password !== null,
    fromProvider: identity !== null,
    createdAt: createdAt.getTime(),
    disabledAt: disabledAt?.getTime() ?? null,
    grants: toNamed(grants),
  };
}
