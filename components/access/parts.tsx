"use client";
import { Select } from "@mantine/core";
import { type Role, ROLES } from "@/server/domain/access";
import { ROLE_WORDS } from "../ui/roles";

/** Chooses a role, and says what it lets do. */
export function RoleSelect({ role, onChange }: { role: Role; onChange: (role: Role) => void }) {
  return (
    <Select
      label="Role"
      description={`${ROLE_WORDS[role].about}.`}
      inputWrapperOrder={["label", "input", "description"]}
      data={ROLES.map((value) => ({ value, label: ROLE_WORDS[value].title }))}
      allowDeselect={false}
      value={role}
      onChange={(value) => onChange(value as Role)}
    />
  );
}
