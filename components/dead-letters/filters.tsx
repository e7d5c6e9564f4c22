"use client";
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RefObject } from "react";
import type { DeadLetterGroup, DeadLetterGroupsAnswer, DeadLetterStatus } from "@/server/contracts/dead-letters";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { sourcesQuery } from "../queries/sources";
import { formatTotal } from "../ui/format";
import { Chip } from "../ui/list-page";
import list from "../ui/list-page.module.css";
import { Spoken } from "../ui/spoken";
import classes from "./dead-letters.module.css";
import { STATUS_WORDS, StatusShape } from "../ui/letter-status";
import type { ChangeView } from "./use-view";
import { STATUSES, type View } from "./view";

interface FiltersProps {
  input: RefObject<HTMLInputElement | null>;
  view: View;
  /** Undefined until they are known. */
  counts: DeadLetterGroupsAnswer["counts"] | undefined;
  /** All groups of the chosen status: the choices on offer. */
  groups: readonly DeadLetterGroup[] | undefined;
  onChange: ChangeView;
}

/** Stands for "no device": a choice can't be empty. */
const NO_DEVICE = "\u0000";

/** The filters of the list: one status, one reason, one device. */
export function Filters({ input, view, counts, groups = [], onChange }: FiltersProps) {
  const { status, filter } = view;
  return (
    <div className={classes.filters} role="search">
      <div className={list.chips} role="group" aria-label="Status">
        {STATUSES.map((one) => (
          <StatusChip key={one} value={one} status={status} count={counts?.[one]} onChange={onChange} />
        ))}
        <StatusChip
          value="all"
          status={status}
          count={counts && STATUSES.reduce((sum, one) => sum + counts[one], 0)}
          onChange={onChange}
        />
      </div>
      <Select
        size="xs"
        aria-label="Reason"
        placeholder="All reasons"
        data={reasonOptions(groups, filter.reason)}
        value={filter.reason ?? null}
        onChange={(reason) => onChange({ reason })}
        clearable
        className={list.select ?? ""}
      />
      <Select
        ref={input}
        size="xs"
        aria-label="Device"
        placeholder="All devices"
        data={deviceOptions(groups, filter.device)}
        value={filter.device === undefined ? null : filter.device || NO_DEVICE}
        onChange={(device) => onChange({ device: device === NO_DEVICE ? "" : device })}
        clearable
        searchable
        nothingFoundMessage="No such device here"
        limit={200}
        className={list.select ?? ""}
      />
      <SourceFilter chosen={filter.source} onChoose={(source) => onChange({ source })} />
      {filter.field === undefined ? null : (
        <button type="button" className={list.chip} onClick={() => onChange({ field: null })}>
          {filter.field === "" ? "Whole messages" : `Field ${filter.field}`}
          <span aria-hidden="true">×</span>
          <Spoken>, clear</Spoken>
        </button>
      )}
    </div>
  );
}

/** Offers all sources, where there is more than the one that is there from the start. */
function SourceFilter({ chosen, onChoose }: { chosen: string | undefined; onChoose: (source: string | null) => void }) {
  const { data } = useQuery(sourcesQuery());
  const names = (data?.items ?? []).map(({ name }) => name);
  if (chosen !== undefined && !names.includes(chosen)) names.push(chosen);
  if (names.length < 2 && chosen === undefined) return null;
  return (
    <Select
      size="xs"
      aria-label="Source"
      placeholder="All sources"
      data={names}
      value={chosen ?? null}
      onChange={onChoose}
      clearable
      searchable
      nothingFoundMessage="No such source"
      limit={200}
      className={list.select ?? ""}
    />
  );
}

interface StatusChipProps {
  value: DeadLetterStatus | "all";
  status: View["status"];
  count: number | undefined;
  onChange: ChangeView;
}

function StatusChip({ value, status, count, onChange }: StatusChipProps) {
  return (
    <Chip
      isChosen={status === value}
      isNone={count === 0}
      count={count}
      onChoose={() => onChange({ status: value === "open" ? null : value, group: null, letter: null })}
    >
      {value === "all" ? null : <StatusShape status={value} />}
      {value === "all" ? "All" : STATUS_WORDS[value]}
    </Chip>
  );
}

function reasonOptions(groups: readonly DeadLetterGroup[], chosen: View["filter"]["reason"]) {
  const counts = tally(groups, ({ reason }) => reason);
  if (chosen !== undefined && !counts.has(chosen)) counts.set(chosen, 0);
  return [...counts]
    .map(([reason, count]) => ({ value: reason, label: labelled(DEAD_LETTER_REASONS[reason].title, count) }))
    .sort((a, b) => a.label.localeCompare(b.label));
}

function deviceOptions(groups: readonly DeadLetterGroup[], chosen: string | undefined) {
  const counts = tally(groups, ({ device }) => device ?? NO_DEVICE);
  const value = chosen === "" ? NO_DEVICE : chosen;
  if (value !== undefined && !counts.has(value)) counts.set(value, 0);
  return [...counts]
    .map(([device, count]) => ({ value: device, label: labelled(device === NO_DEVICE ? "No device" : device, count) }))
    .sort((a, b) => Number(b.value === NO_DEVICE) - Number(a.value === NO_DEVICE) || a.label.localeCompare(b.label));
}

/** Labels a choice with its count; the chosen one stays on offer, without a count when it has none here. */
function labelled(name: string, count: number): string {
  return count === 0 ? name : `${name} (${formatTotal(count)})`;
}

function tally<K>(groups: readonly DeadLetterGroup[], keyOf: (group: DeadLetterGroup) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const group of groups) counts.set(keyOf(group), (counts.get(keyOf(group)) ?? 0) + group.count);
  return counts;
}
