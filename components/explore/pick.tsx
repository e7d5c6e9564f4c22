"use client";
import { Autocomplete, SegmentedControl, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { ExploreAnswer } from "@/server/contracts/explore";
import { MOST_NAMED } from "@/server/domain/device-lists";
import { filterText, parseFilter } from "@/server/domain/device-filter";
import { readable } from "@/server/domain/readable";
import { sitesQuery } from "../queries/device";
import { deviceSearchQuery } from "../queries/devices";
import type { WantedExplore } from "../queries/explore";
import { metricsQuery } from "../queries/metrics";
import list from "../ui/list-page.module.css";
import { SearchField } from "../ui/search-field";
import type { AddressChanges } from "../ui/url";
import { useKeys } from "../ui/use-keys";
import { isKeyTaken } from "../ui/key-target";
import { Where } from "../ui/where";

interface PickProps {
  wanted: WantedExplore;
  /** Undefined until something is shown. */
  answer: ExploreAnswer | undefined;
  change: (changes: AddressChanges, how?: "push" | "replace") => void;
}

/** Named devices shown as chips; more are one chip. */
const MOST_CHIPS = 8;

/** Chooses the metric, which devices, and what a series is of. */
export function Pick({ wanted, answer, change }: PickProps) {
  const { data } = useQuery(metricsQuery());
  const sites = useQuery(sitesQuery()).data ?? [];
  const input = useRef<HTMLInputElement>(null);
  useKeys((event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isKeyTaken(event)) return;
    event.preventDefault();
    input.current?.focus();
  });
  const names = (data?.items ?? []).map(({ name, unit }) => ({ name, unit }));
  if (wanted.metric !== null && !names.some(({ name }) => name === wanted.metric))
    names.unshift({ name: wanted.metric, unit: null });
  return (
    <div className={list.filters} role="search">
      <Select
        size="xs"
        w={230}
        aria-label="Metric"
        placeholder="Choose a metric"
        searchable
        limit={200}
        nothingFoundMessage="No such metric"
        allowDeselect={false}
        data={names.map(({ name, unit }) => ({ value: name, label: unit ? `${name}, ${readable(unit)}` : name }))}
        value={wanted.metric}
        onChange={(metric) => metric !== null && change({ metric, off: null }, "push")}
      />
      <SegmentedControl
        size="xs"
        aria-label="One series for each"
        value={wanted.by}
        onChange={(by) => change({ by: by === "device" ? null : by, off: null }, "push")}
        data={[
          { value: "device", label: "By device" },
          { value: "site", label: "By site" },
          { value: "type", label: "By type" },
        ]}
      />
      <SearchField
        input={input}
        label="Search devices"
        placeholder="Search id, site, type, label"
        search={wanted.search ?? ""}
        onSearch={(search) => change({ search, off: null })}
        onLeave={() => input.current?.blur()}
      />
      <Select
        size="xs"
        className={list.select ?? ""}
        aria-label="Site"
        placeholder="All sites"
        clearable
        searchable={sites.length > 8}
        data={[...new Set([...sites, ...(wanted.site ? [wanted.site] : [])])].map((site) => ({
          value: site,
          label: readable(site),
        }))}
        value={wanted.site ?? null}
        onChange={(site) => change({ site, off: null })}
      />
      <OfType {...{ wanted, answer, change }} />
      <Where where={wanted.where ?? ""} onWhere={(where) => change({ where, off: null })} />
      <AddDevice
        onAdd={(id) => change({ devices: [...new Set([...wanted.devices, id])].slice(0, MOST_NAMED).join(",") })}
      />
      <Chips wanted={wanted} change={change} />
    </div>
  );
}

/** Narrows to one type, as a condition among the others. */
function OfType({ wanted, answer, change }: PickProps) {
  const read = parseFilter(wanted.where ?? "");
  const conditions = "conditions" in read ? read.conditions : [];
  const isType = (condition: (typeof conditions)[number]) => condition.of === "type" && condition.operator === "=";
  const chosen = conditions.find(isType);
  const type = chosen?.of === "type" ? chosen.text : null;
  const [known, setKnown] = useState<readonly string[]>([]);
  const found = [
    ...known,
    ...(answer?.series ?? []).flatMap((one) => one.type ?? []),
    ...(type === null ? [] : [type]),
  ];
  const types = [...new Set(found)].sort();
  // Types stay on offer while one of them hides the others.
  if (types.length > known.length) setKnown(types);
  if (types.length === 0) return null;
  return (
    <Select
      size="xs"
      className={list.select ?? ""}
      aria-label="Type"
      placeholder="All types"
      clearable
      searchable={types.length > 8}
      data={types.map((one) => ({ value: one, label: readable(one) }))}
      value={type}
      onChange={(next) => {
        const others = conditions.filter((condition) => !isType(condition));
        const added = next === null ? [] : [{ of: "type", operator: "=", text: next } as const];
        change({ where: filterText([...others, ...added]) || null, off: null });
      }}
    />
  );
}

/** Finds a device by what is typed, and adds it to those named. */
function AddDevice({ onAdd }: { onAdd: (id: string) => void }) {
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 80);
  const { data } = useQuery(deviceSearchQuery(search));
  return (
    <Autocomplete
      size="xs"
      w={160}
      aria-label="Add a device"
      placeholder="Add a device"
      value={typed}
      onChange={setTyped}
      data={(data?.items ?? []).map(({ id }) => id)}
      filter={({ options }) => options}
      onOptionSubmit={(id) => {
        onAdd(id);
        // The field is given the chosen text after this.
        setTimeout(() => setTyped(""));
      }}
    />
  );
}

/** What the devices are narrowed to by name and label, each to be taken away. */
function Chips({ wanted, change }: Omit<PickProps, "answer">) {
  const { devices, label = [], state, conflicts } = wanted;
  const shown = devices.length > MOST_CHIPS ? [] : devices;
  const chips = [
    ...shown.map((id) => ({ name: id, changes: { devices: devices.filter((one) => one !== id).join(",") || null } })),
    ...(shown.length < devices.length ? [{ name: `${devices.length} devices`, changes: { devices: null } }] : []),
    ...label.map((one) => ({ name: readable(one), changes: { label: label.filter((other) => other !== one) } })),
    ...(state ? [{ name: `state ${state}`, changes: { state: null } }] : []),
    ...(conflicts ? [{ name: "with conflicts", changes: { conflicts: null } }] : []),
  ];
  return chips.map(({ name, changes }) => (
    <button
      key={name}
      type="button"
      className={list.chip}
      aria-pressed
      title={`Leave out ${name}`}
      onClick={() => change({ ...changes, off: null })}
    >
      <span className={list.chipText}>{name}</span>
      <span aria-hidden="true">×</span>
    </button>
  ));
}
