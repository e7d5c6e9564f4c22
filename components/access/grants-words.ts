import type { UserGrant } from "@/server/contracts/access";
import { type Role, ROLES } from "@/server/domain/access";
import { readable } from "@/server/domain/readable";
import { roleWord } from "../ui/roles";

/** Where a grant holds: "all sites", or the site's name. */
export function placeWord(site: string | null): string {
  return site === null ? "all sites" : readable(site);
}

/** A grant in words: "Viewer at north". */
export function grantWord({ role, site }: UserGrant): string {
  return `${roleWord(role)} at ${placeWord(site)}`;
}

/** Roles with where they hold, for a table: "Viewer at north, Editor at south"; a role that holds everywhere alone. */
export function rolesWord(grants: readonly UserGrant[]): string {
  if (grants.length === 0) return roleWord(null);
  if (grants.every(({ site }) => site === null)) return roleWord(greatest(grants.map(({ role }) => role)));
  return grants.map(grantWord).join(", ");
}

/** True if both lists say the same, in whatever order. */
export function isSame(some: readonly UserGrant[], others: readonly UserGrant[]): boolean {
  const told = (grants: readonly UserGrant[]) => [...new Set(grants.map(grantKey))].sort().join("\n");
  return told(some) === told(others);
}

/** The grant that makes this one needless, because it gives as much in more places; null if there is none. */
export function coveredBy(grants: readonly UserGrant[], index: number): UserGrant | null {
  const own = grants[index]!;
  const covers = (other: UserGrant, at: number) =>
    at !== index &&
    (other.site === null || other.site === own.site) &&
    rank(other) >= rank(own) &&
    // Of two that are alike the first stays.
    (grantKey(other) !== grantKey(own) || at < index);
  return grants.find(covers) ?? null;
}

/** What another list of grants changes, a sentence for each place: "Viewer at north becomes Editor". */
export function changesIn(before: readonly UserGrant[], after: readonly UserGrant[]): string[] {
  const places = [...new Set([...before, ...after].map(({ site }) => site))];
  return places.flatMap((site) => {
    const [was, is] = [before, after].map((grants) => roleAt(grants, site)) as [Role | null, Role | null];
    if (was === is) return [];
    if (was === null) return [`${grantWord({ role: is!, site })} is new`];
    if (is === null) return [`${grantWord({ role: was, site })} is taken away`];
    return [`${grantWord({ role: was, site })} becomes ${roleWord(is)}`];
  });
}

/** True if these let somebody administer Fieldwatch, which takes all sites. */
export function administers(grants: readonly UserGrant[]): boolean {
  return roleAt(grants, null) === "admin";
}

/** The role of the grants for this place alone. */
function roleAt(grants: readonly UserGrant[], site: string | null): Role | null {
  return greatest(grants.filter((grant) => grant.site === site).map(({ role }) => role));
}

function greatest(roles: readonly Role[]): Role | null {
  return ROLES.findLast((role) => roles.includes(role)) ?? null;
}

function rank({ role }: UserGrant): number {
  return ROLES.indexOf(role);
}

function grantKey({ role, site }: UserGrant): string {
  return JSON.stringify([role, site]);
}
