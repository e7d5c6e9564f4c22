"use client";
import dynamic from "next/dynamic";
import { untilLoaded } from "./lazy-chart";

/** A dialog over the page, open as long as it is there. It is loaded when the first one opens: no page needs it to show what it is about. */
export const Dialog = dynamic(() => untilLoaded(async () => (await import("./modal-dialog")).ModalDialog), {
  ssr: false,
});
