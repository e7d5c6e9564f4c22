"use client";
import { useCallback, useMemo } from "react";
import { useKept } from "../ui/kept";
import { type ColumnChoice, readChoice } from "./columns";

/** The columns chosen in this browser; null takes the choice back. */
export function useColumnChoice(): [ColumnChoice, (choice: ColumnChoice | null) => void] {
  const [text, keep] = useKept("fieldwatch.devices.columns");
  const choose = useCallback(
    (choice: ColumnChoice | null) => keep(choice === null ? null : JSON.stringify(choice)),
    [keep],
  );
  return [useMemo(() => readChoice(text), [text]), choose];
}
