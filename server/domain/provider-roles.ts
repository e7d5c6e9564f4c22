import { isRole, type Role } from "./access";

/** A role for everybody whom the identity provider puts into a group. */
export interface RoleRule {
  readonly group: string;
  readonly role: Role;
  /** The name of the one site it is for; null: everywhere. */
  readonly site: string | null;
}

/**
 * Reads `group=role` or `group=role:site`, with semicolons between. Names of groups may hold = and :, as in LDAP.
 * @returns the rules, or the entry that is none.
 */
export function readRoleRules(text: string): readonly RoleRule[] | { readonly wrong: string } {
  const rules: RoleRule[] = [];
  for (const entry of text.split(";").map((each) => each.trim())) {
    if (entry === "") continue;
    const [, group = "", role = "", site = null] = /^(.+)=\s*(\w+)\s*(?::\s*(\S.*))?$/.exec(entry) ?? [];
    if (!isRole(role)) return { wrong: entry };
    rules.push({ group: group.trim(), role, site });
  }
  return rules;
}

/** What a claim says as a list of groups: a list of texts, or one text. Anything else says nothing. */
export function groupsIn(claims: Readonly<Record<string, unknown>>, claim: string): string[] | null {
  const steps = Object.hasOwn(claims, claim) ? [claim] : claim.split(".");
  const value = steps.reduce<unknown>(
    (inside, step) =>
      typeof inside === "object" && inside !== null && Object.hasOwn(inside, step)
        ? (inside as Record<string, unknown>)[step]
        : undefined,
    claims,
  );
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === "string") : null;
}
