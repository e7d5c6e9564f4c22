import type { z } from "zod";
import type { Account } from "@/server/access/accounts";
import type { Key } from "@/server/access/keys";
import type { keyView, user } from "@/server/contracts/access";
import { type Grant, type Role, ROLES } from "@/server/domain/access";
import { toInstant, toInstantOrNull } from "../instant";

/** The greatest role among grants. */
export function greatestRole(grants: readonly Grant[]): Role | null {
  return ROLES.findLast((role) => grants.some((grant) => grant.role === role)) ?? null;
}

export function toUser({ grants, createdAt, disabledAt, ...account }: Account): z.input<typeof user> {
  return {
    ...account,
    role: greatestRole(grants),
    createdAt: toInstant(createdAt),
    disabledAt: toInstantOrNull(disabledAt),
  };
}

export function toKeyView({
  grants,
  createdAt,
  expiresAt,
  revokedAt,
  lastUsedAt,
  ...key
}: Key): z.input<typeof keyView> {
  return {
    ...key,
    networks: [...key.networks],
    role: greatestRole(grants),
    createdAt: toInstant(createdAt),
    expiresAt: toInstantOrNull(expiresAt),
    revokedAt: toInstantOrNull(revokedAt),
    lastUsedAt: toInstantOrNull(lastUsedAt),
  };
}
