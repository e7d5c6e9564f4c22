import type { z } from "zod";
import type { Account } from "@/server/access/accounts";
import { Personal } from "@/server/access/audit/personal";
import type { Key } from "@/server/access/keys";
import type { keyView, user } from "@/server/contracts/access";
import { type Grant, type Role, ROLES } from "@/server/domain/access";
import { toInstant, toInstantOrNull } from "../instant";

/** The greatest role among grants. */
export function greatestRole(grants: readonly Pick<Grant, "role">[]): Role | null {
  return ROLES.findLast((role) => grants.some((grant) => grant.role === role)) ?? null;
}

export function toUser({ grants, createdAt, disabledAt, ...account }: Account): z.input<typeof user> {
  return {
    ...account,
    role: greatestRole(grants),
    grants: [...grants],
    createdAt: toInstant(createdAt),
    disabledAt: toInstantOrNull(disabledAt),
  };
}

/** What the audit record tells of a person. */
export function noteOfUser({ id, name, email, grants, hasPassword, disabledAt }: Account): object {
  return {
    ...{ name: new Personal(name, id), email: new Personal(email, id), grants, hasPassword },
    disabledAt: toInstantOrNull(disabledAt),
  };
}

/** What the audit record tells of a key; who made it is told by the row itself. */
export function noteOfKey(key: Key): object {
  const { madeBy: _, lastUsedAt: __, lastUsedFrom: ___, ...told } = toKeyView(key);
  return told;
}

export function toKeyView({
  grants,
  createdAt,
  expiresAt,
  revokedAt,
  lastUsedAt,
  site,
  source,
  line: _,
  ...key
}: Key): z.input<typeof keyView> {
  return {
    ...key,
    site: site?.name ?? null,
    source: source?.name ?? null,
    networks: [...key.networks],
    role: greatestRole(grants),
    createdAt: toInstant(createdAt),
    expiresAt: toInstantOrNull(expiresAt),
    revokedAt: toInstantOrNull(revokedAt),
    lastUsedAt: toInstantOrNull(lastUsedAt),
  };
}
