"use client";
import { Select } from "@mantine/core";
import { formatDuration } from "@/server/domain/duration";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Usual lengths of waits, in milliseconds. */
export const WAITS = [0, 10_000, 30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE];
export const INTERVALS = [0, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
export const REPEATS = [30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR];
export const ESCALATIONS = [5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR];

interface DurationSelectProps {
  label: string;
  /** Milliseconds; null: never. */
  ms: number | null;
  choices: readonly number[];
  /** What nothing at all is called; left out: it isn't offered. */
  never?: string;
  zero?: string;
  onChange: (ms: number | null) => void;
}

/** Chooses a length of time among usual ones, and the one that is set. */
export function DurationSelect({ label, ms, choices, never, zero = "at once", onChange }: DurationSelectProps) {
  const all = [...new Set([...choices, ...(ms === null ? [] : [ms])])].sort((a, b) => a - b);
  return (
    <Select
      label={label}
      data={[
        ...(never === undefined ? [] : [{ value: "never", label: never }]),
        ...all.map((one) => ({ value: String(one), label: one === 0 ? zero : formatDuration(one) })),
      ]}
      allowDeselect={false}
      value={ms === null ? "never" : String(ms)}
      onChange={(value) => onChange(value === "never" ? null : Number(value))}
    />
  );
}
