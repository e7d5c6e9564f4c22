"use client";
import { CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import classes from "./devices.module.css";

interface FiltersProps {
  search: string;
  site: string | null;
  state: string | null;
  sites: readonly string[];
  onChange: (changes: Record<string, string | null>) => void;
}

const STATES = [
  { value: "live", label: "Live" },
  { value: "stale", label: "Stale" },
  { value: "silent", label: "Silent" },
  { value: "new", label: "New" },
];

/** Search by part of id, site or type; one site; one state. */
export function Filters({ search, site, state, sites, onChange }: FiltersProps) {
  const [text, setText] = useState(search);
  const [shown, setShown] = useState(search);
  const apply = useDebouncedCallback((value: string) => onChange({ search: value.trim() || null }), 250);
  // The address may change by Back or by clearing the filters; typing runs ahead of it.
  if (shown !== search) {
    setShown(search);
    if (search !== text.trim()) setText(search);
  }
  return (
    <div className={classes.filters} role="search">
      <TextInput
        size="xs"
        aria-label="Search devices"
        placeholder="Search id, site or type"
        maxLength={128}
        value={text}
        className={classes.search ?? ""}
        onChange={(event) => {
          setText(event.currentTarget.value);
          apply(event.currentTarget.value);
        }}
        rightSection={
          text ? (
            <CloseButton
              size="xs"
              aria-label="Clear the search"
              onClick={() => {
                setText("");
                onChange({ search: null });
              }}
            />
          ) : null
        }
      />
      <Select
        size="xs"
        aria-label="Site"
        placeholder="All sites"
        data={[...new Set([...sites, ...(site ? [site] : [])])]}
        value={site}
        onChange={(value) => onChange({ site: value })}
        clearable
        searchable={sites.length > 8}
        className={classes.select ?? ""}
      />
      <Select
        size="xs"
        aria-label="State"
        placeholder="All states"
        data={STATES}
        value={state}
        onChange={(value) => onChange({ state: value })}
        clearable
        className={classes.select ?? ""}
      />
    </div>
  );
}
