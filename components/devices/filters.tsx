"use client";
import { Select } from "@mantine/core";
import type { RefObject } from "react";
import type { DeviceState } from "@/server/contracts/devices";
import type { FleetSummary } from "@/server/contracts/fleet";
import { readable } from "@/server/domain/readable";
import { formatTotal } from "../ui/format";
import { Chip } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { SearchField } from "../ui/search-field";
import { DeviceMark } from "../ui/state-mark";
import type { AddressChanges } from "../ui/url";
import classes from "./devices.module.css";
import { Where } from "../ui/where";

interface FiltersProps {
  input: RefObject<HTMLInputElement | null>;
  search: string;
  site: string | null;
  state: DeviceState | null;
  withConflicts: boolean;
  where: string;
  labels: readonly string[];
  /** Undefined until it is known. */
  summary: FleetSummary | undefined;
  onChange: (changes: AddressChanges) => void;
  /** Leaves the search for the first row. */
  onLeave: () => void;
}

/** Trouble first, as the list itself. */
const STATES: readonly DeviceState[] = ["silent", "stale", "new", "live"];

/** Search by part of id, site, type or a label; one site; one state; labels, which are chosen in the list. */
export function Filters({
  input,
  search,
  site,
  state,
  withConflicts,
  where,
  labels,
  summary,
  onChange,
  onLeave,
}: FiltersProps) {
  return (
    <div className={list.filters} role="search">
      <SearchField
        input={input}
        label="Search devices"
        placeholder="Search id, site, type, label"
        search={search}
        onSearch={(search) => onChange({ search })}
        onLeave={onLeave}
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
      <Where where={where} onWhere={(where) => onChange({ where })} />
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
        {labels.map((label) => (
          <button
            key={label}
            type="button"
            className={list.chip}
            aria-pressed
            data-label={label}
            title={`Show devices without ${readable(label)}, too`}
            onClick={() => onChange({ label: labels.filter((other) => other !== label) })}
          >
            <span className={classes.label}>{readable(label)}</span>
            <span aria-hidden="true">×</span>
          </button>
        ))}
      </div>
    </div>
  );
}

/** The chosen site stays on offer while counts are on their way, and when it has none. */
function siteOptions(summary: FleetSummary | undefined, chosen: string | null) {
  const sites = summary?.sites ?? [];
  const options = sites.map(({ name, devices }) => ({
    value: name,
    label: `${readable(name)} (${formatTotal(devices)})`,
  }));
  if (chosen !== null && !sites.some(({ name }) => name === chosen))
    options.unshift({ value: chosen, label: readable(chosen) });
  return options;
}
