"use client";
import type { DeviceView } from "@/server/contracts/devices";
import { useState } from "react";
import type { CurrentValue } from "@/server/contracts/common";
import { Age } from "../ui/age";
import { Quantity } from "../ui/quantity";
import classes from "./device.module.css";
import { inMetricOrder } from "./metric-order";

/** A value this much older than the device's latest is one the device has stopped sending. */
const STALE_MS = 5 * 60_000;

interface ValuesProps {
  values: DeviceView["values"];
  lastEventTime: string | null;
  units: ReadonlyMap<string, string | null>;
  selected: string | null;
  onSelect: (metric: string) => void;
}

/** Latest value of each metric with its unit and age; choosing one shows its history. Strings have none. */
export function Values({ values, lastEventTime, units, selected, onSelect }: ValuesProps) {
  const names = inMetricOrder(Object.keys(values));
  if (names.length === 0) return <p className={classes.muted}>No value yet.</p>;
  const latest = lastEventTime ? Date.parse(lastEventTime) : 0;
  return (
    <ul className={classes.values}>
      {names.map((name) => {
        const current = values[name];
        if (!current) return null;
        const isStale = latest - Date.parse(current.time) > STALE_MS;
        const content = (
          <>
            <span className={classes.name}>{name}</span>
            <span className={classes.value} data-value={name}>
              <Flashing value={current.value} unit={units.get(name)} />
            </span>
            <span className={classes.valueAge}>
              {isStale ? "stale, " : ""}
              <Age time={current.time} />
            </span>
          </>
        );
        return (
          <li key={name} data-stale={isStale || undefined}>
            {typeof current.value === "string" ? (
              <div className={classes.cell}>{content}</div>
            ) : (
              <button
                type="button"
                className={classes.cell}
                aria-pressed={name === selected}
                title={`Show the history of ${name}`}
                onClick={() => onSelect(name)}
              >
                {content}
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** A value that flashes softly when it changes, but not when the page is opened. */
function Flashing({ value, unit }: { value: CurrentValue["value"]; unit: string | null | undefined }) {
  const [first] = useState(value);
  return (
    <span key={String(value)} className={value === first ? undefined : classes.flash}>
      <Quantity value={value} unit={unit} />
    </span>
  );
}
