"use client";
import { Button, Select } from "@mantine/core";
import type { ReactNode } from "react";
import { type Role, ROLES } from "@/server/domain/access";
import { saidOf } from "../queries/request";
import { Dialog } from "../ui/dialog";
import { Copyable, Failure } from "../ui/feedback";
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

interface FormDialogProps {
  title: string;
  /** The button that does it, in words that say what. */
  act: string;
  isDangerous?: boolean;
  isSending: boolean;
  /** False while what is filled in can't be sent. */
  isReady?: boolean;
  /** What failed: "Nobody was added". */
  failed: string;
  error: Error | null;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog that asks once, then does it. */
export function FormDialog(props: FormDialogProps) {
  const { title, act, isDangerous = false, isSending, isReady = true, failed, error, onSubmit, onClose } = props;
  return (
    <Dialog title={title} size={480} onClose={onClose}>
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !isSending) onSubmit();
        }}
      >
        {props.children}
        {error ? <Failure what={failed} why={saidOf(error)} advice="What is filled in here is kept." /> : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onClose} data-autofocus={isDangerous || undefined}>
            Cancel
          </Button>
          <Button
            size="sm"
            type="submit"
            loading={isSending}
            disabled={!isReady}
            {...(isDangerous ? { color: "red" } : {})}
          >
            {act}
          </Button>
        </div>
      </form>
    </Dialog>
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
      <div className={classes.dialog}>
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
