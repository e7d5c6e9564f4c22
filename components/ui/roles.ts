import type { Me } from "@/server/contracts/access";
import type { Role } from "@/server/domain/access";

/** Roles in words: what each adds to those before it. */
export const ROLE_WORDS: Record<Role, { readonly title: string; readonly about: string }> = {
  viewer: { title: "Viewer", about: "Sees devices, readings, the pipeline and its health" },
  operator: {
    title: "Operator",
    about: "A viewer who also sees messages and dead letters, saves files, resends, discards and runs jobs",
  },
  editor: { title: "Editor", about: "An operator who also changes what is said of devices and metrics" },
  admin: { title: "Admin", about: "An editor who also lets people and programs in, and sees who did what" },
};

/** A role's word; none has one too. */
export function roleWord(role: Role | null): string {
  return role === null ? "No role" : ROLE_WORDS[role].title;
}

/** Somebody's greatest role, and whether it holds at some sites alone: "Editor at some sites". */
export function ownRoleWord({
  role,
  permissions,
  everywhere,
}: Pick<Me, "role" | "permissions" | "everywhere">): string {
  return roleWord(role) + (everywhere.length < permissions.length ? " at some sites" : "");
}
