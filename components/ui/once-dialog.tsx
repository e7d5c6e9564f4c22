"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Dialog } from "./dialog";
import { Copyable } from "./feedback";
import form from "./form.module.css";
import classes from "./ui.module.css";

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
