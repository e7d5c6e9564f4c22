"use client";
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./ui.module.css";

export interface DialogProps {
  title: string;
  /** Width in pixels, where there is room. */
  size: number;
  onClose: () => void;
  /** True for what isn't shown again: a click beside it doesn't close it. */
  isLasting?: boolean;
  children: ReactNode;
}

/** What `Dialog` loads. Its head is no <header>: that would be a second banner. */
export function ModalDialog({ title, size, onClose, isLasting = false, children }: DialogProps) {
  return (
    <Modal
      opened
      onClose={onClose}
      size={size}
      withCloseButton={false}
      closeOnClickOutside={!isLasting}
      closeOnEscape={!isLasting}
      transitionProps={{ duration: 0 }}
    >
      <div className={classes.dialogHead}>
        <Modal.Title>{title}</Modal.Title>
        <Modal.CloseButton aria-label="Close" />
      </div>
      {children}
    </Modal>
  );
}
