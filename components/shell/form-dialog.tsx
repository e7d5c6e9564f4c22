"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { saidOf } from "../queries/request";
import { Dialog } from "../ui/dialog";
import { Failure } from "../ui/feedback";
import form from "../ui/form.module.css";

interface FormDialogProps {
  title: string;
  /** The button that does it, in words that say what. */
  act: string;
  isDangerous?: boolean;
  /** Width in pixels, where there is room. */
  size?: number;
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
  const {
    title,
    act,
    isDangerous = false,
    size = 480,
    isSending,
    isReady = true,
    failed,
    error,
    onSubmit,
    onClose,
  } = props;
  return (
    <Dialog title={title} size={size} onClose={onClose}>
      <form
        className={form.dialog}
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
