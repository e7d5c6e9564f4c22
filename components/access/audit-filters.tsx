"use client";
import { Button, SegmentedControl, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { AuditFilter } from "../queries/audit";
import { momentOf, wallClock } from "../ui/format";
import { useZone } from "../ui/zone";
import classes from "./access.module.css";
import { OUTCOMES, outcomeIn, verbIn, verbWords } from "./audit-words";

/** Changes what is searched for; null takes a condition away. */
export type Change = (changes: Partial<Record<keyof AuditFilter, string | null>>) => void;

const TEXTS = [
  ["actor", "Who, exactly"],
  ["verb", "What, like Add user"],
  ["target", "Target holds"],
] as const;

const TIMES = [
  ["from", "From"],
  ["to", "Before"],
] as const;

interface FiltersProps {
  filter: AuditFilter;
  change: Change;
  /** Further buttons. */
  children: ReactNode;
}

/** What the record is searched by. */
export function Filters({ filter, change, children }: FiltersProps) {
  const { zone } = useZone();
  const instantOf = (text: string) => {
    const time = momentOf(text, zone);
    return Number.isNaN(time) ? null : new Date(time).toISOString();
  };
  return (
    <form
      // What the fields hold is of the zone.
      key={zone}
      className={classes.filters}
      role="search"
      aria-label="Search the record"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        change({
          ...Object.fromEntries(TEXTS.map(([name]) => [name, String(form.get(name)).trim() || null])),
          verb: verbIn(String(form.get("verb"))) || null,
          ...Object.fromEntries(TIMES.map(([name]) => [name, instantOf(String(form.get(name)))])),
        });
      }}
    >
      {TEXTS.map(([name, label]) => (
        <TextInput
          key={name}
          size="xs"
          name={name}
          aria-label={label}
          placeholder={label}
          defaultValue={name === "verb" && filter.verb ? verbWords(filter.verb) : (filter[name] ?? "")}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
        />
      ))}
      {TIMES.map(([name, label]) => (
        <TextInput
          key={name}
          size="xs"
          type="datetime-local"
          step={1}
          name={name}
          aria-label={label}
          leftSection={<span className={classes.fieldName}>{label}</span>}
          leftSectionWidth={56}
          defaultValue={filter[name] === null ? "" : wallClock(Date.parse(filter[name]), zone)}
        />
      ))}
      <SegmentedControl
        size="xs"
        aria-label="Outcome"
        value={filter.outcome ?? "all"}
        onChange={(value) => change({ outcome: outcomeIn(value) })}
        data={[
          { value: "all", label: "All" },
          ...Object.entries(OUTCOMES).map(([value, [, label]]) => ({ value, label })),
        ]}
      />
      <Button size="xs" type="submit" variant="default">
        Search
      </Button>
      {children}
    </form>
  );
}
