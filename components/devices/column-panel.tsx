"use client";
import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { MetricsAnswer } from "@/server/contracts/metrics";
import { counted } from "@/server/domain/counted";
import { type ColumnChoice, type ColumnId, metricNames, metricOf, MOST_VALUES, PLAIN_COLUMNS } from "./columns";
import classes from "./column-panel.module.css";

interface ColumnPanelProps {
  metrics: MetricsAnswer["items"];
  /** The metrics that the devices of the list report: these are offered, others are found by a search. */
  reported: readonly string[];
  columns: readonly ColumnId[];
  trend: string | null;
  isDefault: boolean;
  onChoose: (choice: ColumnChoice | null) => void;
}

/** Metrics offered at once; a search finds the others. */
const OFFERED = 50;

/**
 * Chooses the columns of the list and what the trend shows. What a person chooses is shown here at once; the list and its
 * address follow.
 */
export function ColumnPanel({ metrics, reported, onChoose, ...props }: ColumnPanelProps) {
  const [chosen, setChosen] = useState<ColumnChoice | null>(null);
  const columns = chosen?.columns ?? props.columns;
  const trend = chosen === null ? props.trend : chosen.trend;
  const choose = (choice: ColumnChoice | null) => {
    setChosen(choice);
    onChoose(choice);
  };
  const [search, setSearch] = useState("");
  const names = metricNames(metrics);
  const wanted = search.trim().toLowerCase();
  const isOffered = (name: string) => reported.includes(name) || columns.includes(`value:${name}`);
  const found = names.filter((name) => (wanted === "" ? isOffered(name) : name.toLowerCase().includes(wanted)));
  const elsewhere = wanted === "" ? names.length - found.length : 0;
  const units = new Map(metrics.map(({ name, unit }) => [name, unit]));
  const values = columns.filter((id) => metricOf(id) !== null).length;
  const toggle = (id: ColumnId, on: boolean) =>
    choose({ columns: on ? [...columns, id] : columns.filter((one) => one !== id), trend });
  return (
    <div className={classes.panel}>
      <fieldset>
        <legend>Columns</legend>
        {PLAIN_COLUMNS.map(({ id, label }) => (
          <Checkbox
            key={id}
            size="xs"
            label={label}
            checked={columns.includes(id)}
            onChange={(event) => toggle(id, event.currentTarget.checked)}
          />
        ))}
      </fieldset>
      <fieldset>
        <legend>Latest values, at most {MOST_VALUES}</legend>
        {names.length > 12 || elsewhere > 0 ? (
          <TextInput
            size="xs"
            aria-label="Search metrics"
            placeholder={`Search ${names.length} metrics`}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        ) : null}
        <div className={classes.metrics}>
          {found.slice(0, OFFERED).map((name) => {
            const checked = columns.includes(`value:${name}`);
            return (
              <Checkbox
                key={name}
                size="xs"
                label={
                  <>
                    {name} <small>{units.get(name)}</small>
                  </>
                }
                checked={checked}
                disabled={!checked && values >= MOST_VALUES}
                onChange={(event) => toggle(`value:${name}`, event.currentTarget.checked)}
              />
            );
          })}
        </div>
        {names.length === 0 ? <p className={classes.hint}>No metric yet.</p> : null}
        {names.length > 0 && found.length === 0 && wanted !== "" ? (
          <p className={classes.hint}>No metric matches.</p>
        ) : null}
        {elsewhere > 0 && found.length <= OFFERED ? (
          <p className={classes.hint}>{counted(elsewhere, "metric")} of other devices: search for them.</p>
        ) : null}
        {found.length > OFFERED ? (
          <p className={classes.hint}>{found.length - OFFERED} more: search for them.</p>
        ) : null}
      </fieldset>
      <Select
        size="xs"
        label="Trend of the last hour"
        data={names}
        value={trend}
        limit={OFFERED}
        searchable={names.length > 12}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
        onChange={(name) => name && choose({ columns: [...columns], trend: name })}
      />
      <Button size="xs" variant="default" disabled={props.isDefault && chosen === null} onClick={() => choose(null)}>
        Back to the default
      </Button>
    </div>
  );
}
