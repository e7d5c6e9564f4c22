import type { Grant, Role } from "@/server/domain/access";
import type { PrismaClient } from "@/server/postgres/prisma";

/** A grant as people name it: its site by name; null: everywhere. */
export interface NamedGrant {
  readonly role: Role;
  readonly site: string | null;
}

/** The columns of a grant, and how they are read. */
export const GRANT = { select: { role: true, siteId: true, site: { select: { name: true } } } } as const;

interface GrantRow {
  readonly role: string;
  readonly siteId: number | null;
  readonly site: { readonly name: string } | null;
}

/** Grants as people name them, by site, those of everywhere first. */
export function toNamed(rows: readonly GrantRow[]): NamedGrant[] {
  return rows
    .map(({ role, site }) => ({ role: role as Role, site: site?.name ?? null }))
    .sort((a, b) => (a.site ?? "").localeCompare(b.site ?? ""));
}

/** There is no site of a name. */
export class NoSuchSiteError extends Error {
  override readonly name = "NoSuchSiteError";
  constructor(readonly site: string) {
    super(`there is no site ${JSON.stringify(site)}`);
  }
}

/** What is written of grants, whose sites may go by names they had before; twice the same is once. @throws NoSuchSiteError. */
export async function fromNamed(prisma: PrismaClient, named: readonly NamedGrant[]): Promise<Grant[]> {
  const names = named.flatMap(({ site }) => (site === null ? [] : [site]));
  const sites = await prisma.$queryRaw<{ id: number; name: string }[]>`
    SELECT s.id, n.name FROM unnest(${names}::text[]) AS n (name) JOIN site s ON s.name = site_now(n.name)`;
  const ids = new Map(sites.map(({ id, name }) => [name, id]));
  const grants = named.map(({ role, site }): Grant => {
    if (site === null) return { role, siteId: null };
    const siteId = ids.get(site);
    if (siteId === undefined) throw new NoSuchSiteError(site);
    return { role, siteId };
  });
  return [...new Map(grants.map((grant) => [`${grant.role} ${grant.siteId}`, grant])).values()];
}
