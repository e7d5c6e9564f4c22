"use client";
import { CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { type RefObject, useState } from "react";
import type { DeviceState } from "@/server/contracts/devices";
import type { FleetSummary } from "@/server/contracts/fleet";
import { formatTotal } from "../ui/format";
import { Chip } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { DeviceMark } from "../ui/state-mark";
import classes from "./devices.module.css";

interface FiltersProps {
  input: RefObject<HTMLInputElement | null>;
  search: string;
  site: string | null;
  state: DeviceState | null;
  withConflicts: boolean;
  /** Undefined until it is known. */
  summary: FleetSummary | undefined;
  onChange: (changes: Record<string, string | null>) => void;
  /** Leaves the search for the first row. */
  onLeave: () => void;
}

/** A search waits for the next key so long. */
const TYPING_MS = 80;

/** Trouble first, as the list itself. */
const STATES: readonly DeviceState[] = ["silent", "stale", "new", "live"];

/** Search by part of id, site or type; one site; one state. */
export function Filters({ input, search, site, state, withConflicts, summary, onChange, onLeave }: FiltersProps) {
  const [text, setText] = useState(search);
  const [shown, setShown] = useState(search);
  /** The latest text is still on its way to the address; until it is there, the address holds an earlier one. */
  const [isAhead, setAhead] = useState(false);
  const apply = useDebouncedCallback((value: string) => {
    if (value.trim() === search) setAhead(false);
    onChange({ search: value.trim() || null });
  }, TYPING_MS);
  // The address may change by Back or by clearing the filters; typing runs ahead of it.
  if (shown !== search) {
    setShown(search);
    if (search === text.trim()) setAhead(false);
    else if (!isAhead) setText(search);
  }
  const clear = () => {
    apply.cancel();
    setText("");
    setAhead(search !== "");
    onChange({ search: null });
  };
  return (
    <div className={list.filters} role="search">
      <TextInput
        ref={input}
        size="xs"
        aria-label="Search devices"
        placeholder="Search id, site or type"
        maxLength={128}
        value={text}
        className={classes.search ?? ""}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAhead(true);
          apply(event.currentTarget.value);
        }}
        // Before a link that was clicked at once is followed: told later, the search would bring back this page.
        onBlur={() => apply.flush()}
        onKeyDown={(event) => {
          if (event.key === "Escape" && text) clear();
          else if (event.key === "Escape") event.currentTarget.blur();
          else if (event.key === "Enter" || event.key === "ArrowDown") onLeave();
          else return;
          event.preventDefault();
        }}
        rightSection={
          text ? (
            <CloseButton size="xs" aria-label="Clear the search" onClick={clear} />
          ) : (
            <kbd className={classes.key} aria-hidden="true">
              /
            </kbd>
          )
        }
      />
      <Select
        size="xs"
        aria-label="Site"
        placeholder="All sites"
        data={siteOptions(summary, site)}
        value={site}
        onChange={(value) => onChange({ site: value })}
        clearable
        searchable={(summary?.sites.length ?? 0) > 8}
        nothingFoundMessage="No such site"
        limit={200}
        className={list.select ?? ""}
      />
      <div className={classes.states} role="group" aria-label="State">
        <Chip
          isChosen={state === null}
          isNone={false}
          count={summary && STATES.reduce((sum, one) => sum + summary.states[one], 0)}
          onChoose={() => onChange({ state: null })}
        >
          All
        </Chip>
        {STATES.map((one) => (
          <Chip
            key={one}
            isChosen={state === one}
            isNone={!summary?.states[one]}
            count={summary?.states[one]}
            onChoose={() => onChange({ state: state === one ? null : one })}
          >
            <DeviceMark state={one} />
          </Chip>
        ))}
        {withConflicts || summary?.conflicts ? (
          <Chip
            isChosen={withConflicts}
            isNone={!summary?.conflicts}
            count={summary?.conflicts}
            onChoose={() => onChange({ conflicts: withConflicts ? null : "true" })}
          >
            <span title="Devices that sent another value for a time they had sent one for">With conflicts</span>
          </Chip>
        ) : null}
      </div>
    </div>
  );
}

/** The chosen site stays on offer while counts are on their way, and when it has none. */
function siteOptions(summary: FleetSummary | undefined, chosen: string | null) {
  const sites = summary?.sites ?? [];
  const options = sites.map(({ name, devices }) => ({ value: name, label: `${name} (${formatTotal(devices)})` }));
  if (chosen !== null && !sites.some(({ name }) => name === chosen)) options.unshift({ value: chosen, label: chosen });
  return options;
}
