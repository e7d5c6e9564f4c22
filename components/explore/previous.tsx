"use client";
import { Select } from "@mantine/core";
import type { WantedExplore } from "../queries/explore";
import type { AddressChanges } from "../ui/url";

const OPTIONS = [
  { value: "range", label: "Before: one range earlier" },
  { value: "day", label: "Before: a day earlier" },
  { value: "week", label: "Before: a week earlier" },
];

interface PreviousProps {
  wanted: WantedExplore;
  change: (changes: AddressChanges) => void;
}

/** Lays the same series of an earlier time beneath those shown, dashed. */
export function Previous({ wanted, change }: PreviousProps) {
  return (
    <Select
      size="xs"
      w={232}
      aria-label="Earlier time beneath"
      placeholder="Nothing earlier beneath"
      clearable
      data={OPTIONS}
      value={wanted.previous}
      onChange={(previous) => change({ previous })}
    />
  );
}
