"use client";
import { withZonedTimes } from "./format";
import { useZone } from "./zone";

/** A sentence of the server's, the times in it by the page's zone. */
export function Said({ text }: { text: string }) {
  return withZonedTimes(text, useZone().zone);
}
