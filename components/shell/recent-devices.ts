"use client";
import { useMemo } from "react";
import { readKept, useKept, writeKept } from "../ui/kept";

const NAME = "fieldwatch.recent-devices";
const MOST = 6;

/** The ids in a kept text, the latest first; anything else there is as nothing. */
function readIds(text: string | null): string[] {
  try {
    const ids = JSON.parse(text ?? "[]") as unknown;
    return Array.isArray(ids) ? ids.filter((id): id is string => typeof id === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Remembers that a device's page was opened. */
export function noteDevice(id: string): void {
  const before = readIds(readKept(NAME));
  if (before[0] === id) return;
  writeKept(NAME, JSON.stringify([id, ...before.filter((other) => other !== id)].slice(0, MOST)));
}

/** Forgets that a device's page was opened: there is none any more. */
export function forgetDevice(id: string): void {
  writeKept(NAME, JSON.stringify(readIds(readKept(NAME)).filter((other) => other !== id)));
}

/** Devices whose pages were opened last in this browser, the latest first. */
export function useRecentDevices(): readonly string[] {
  const [text] = useKept(NAME);
  return useMemo(() => readIds(text), [text]);
}
