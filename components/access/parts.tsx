"use client";
import { Button, Select } from "@mantine/core";
import type { ReactNode } from "react";
import { type Role, ROLES } from "@/server/domain/access";
import { Dialog } from "../ui/dialog";
import { Copyable } from "../ui/feedback";
import form from "../ui/form.module.css";
import { ROLE_WORDS } from "../ui/roles";
import classes from "./access.module.css";

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

interface OnceDialogProps {
  title: string;
  /** What to copy, each with a label that says what it is. */
  texts: readonly { readonly label: string; readonly text: string }[];
  onClose: () => void;
  children: ReactNode;
}

/** A secret, shown once: it stays until it is closed on purpose. */
export function OnceDialog({ title, texts, onClose, children }: OnceDialogProps) {
  return (
    <Dialog title={title} size={600} onClose={onClose} isLasting>
      <div className={form.dialog}>
        {children}
        {texts.map(({ label, text }) => (
          <div key={label} className={classes.once}>
            <p>{label}</p>
            <Copyable text={text} label={`Copy: ${label}`} />
          </div>
        ))}
        <div className={form.buttons}>
          <Button size="sm" onClick={onClose}>
            Done, it is copied
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
