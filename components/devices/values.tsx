"use client";
import { useState } from "react";
import type { CurrentValue } from "@/server/contracts/common";
import type { DeviceDetail } from "@/server/contracts/devices";
import { Age } from "../ui/age";
import { Quantity } from "../ui/quantity";
import { metricColor } from "../ui/theme";
import { looksLikeNumber } from "./looks-like-number";
import classes from "./values.module.css";
import { isGuessed, type KnownMetrics, shownAs, unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";

/** A value this much older than the device's latest is one the device has stopped sending. */
const STALE_MS = 5 * 60_000;

interface ValuesProps {
  device: DeviceDetail;
  known: KnownMetrics;
  /** Metrics whose history is shown. */
  selected: readonly string[];
  /** Shows one metric's history alone. */
  onSelect: (metric: string) => void;
  /** Adds a metric to those shown, or takes it away. */
  onToggle: (metric: string) => void;
  /** True if one more metric can be shown beside the others. */
  hasRoomFor: (metric: string) => boolean;
}

/** Latest value of each metric with its unit and age; choosing one shows its history. Strings have none. */
export function Values({ device, known, selected, onSelect, onToggle, hasRoomFor }: ValuesProps) {
  const { values, lastEventTime, rounded } = device;
  const names = inMetricOrder(Object.keys(values));
  if (names.length === 0) return <p className={classes.muted}>No value yet.</p>;
  const latest = lastEventTime ? Date.parse(lastEventTime) : 0;
  return (
    <ul className={classes.values}>
      {names.map((name) => {
        const current = values[name];
        if (!current) return null;
        const metric = known.get(name);
        const isStale = latest - Date.parse(current.time) > STALE_MS;
        const content = (
          <>
            <span className={classes.name}>{name}</span>
            <span className={classes.value} data-value={name}>
              <Flashing value={shownAs(current.value, metric?.kind)} unit={unitOf(device, name, metric)} />
            </span>
            <span className={classes.valueAge}>
              {isGuessed(device, metric) ? (
                <span title="An earlier version made this unit up">unit guessed, </span>
              ) : null}
              {looksLikeNumber(current.value) ? (
                <span title={`${name} is sent in quotes. Send it as a number, without them, and it gets a history.`}>
                  came as text, no history,{" "}
                </span>
              ) : null}
              {Object.hasOwn(rounded, name) ? (
                <span title="Sent with more digits than a number can keep here; the nearest that can be kept is stored">
                  rounded,{" "}
                </span>
              ) : null}
              {isStale ? "stale, " : ""}
              <Age time={current.time} />
            </span>
          </>
        );
        const isShown = selected.includes(name);
        return (
          <li key={name} data-stale={isStale || undefined}>
            {typeof current.value === "string" ? (
              <div className={classes.cell}>{content}</div>
            ) : (
              <>
                <button
                  type="button"
                  className={classes.cell}
                  aria-pressed={isShown}
                  title={`Show the history of ${name}`}
                  style={isShown ? { boxShadow: `inset 0 2px 0 ${metricColor(name)}` } : undefined}
                  onClick={() => onSelect(name)}
                >
                  {content}
                </button>
                <Beside
                  name={name}
                  isShown={isShown}
                  isAlone={isShown && selected.length === 1}
                  hasRoom={isShown || hasRoomFor(name)}
                  onToggle={onToggle}
                />
              </>
            )}
          </li>
        );
      })}
    </ul>
  );
}

interface BesideProps {
  name: string;
  isShown: boolean;
  isAlone: boolean;
  hasRoom: boolean;
  onToggle: (metric: string) => void;
}

/** Adds a metric to the charts shown. */
function Beside({ name, isShown, isAlone, hasRoom, onToggle }: BesideProps) {
  const why = isAlone
    ? "One metric is always shown"
    : hasRoom
      ? isShown
        ? `Take ${name} out of the charts`
        : `Show ${name} beside the others`
      : "Four charts are shown already; take one away first";
  return (
    <label className={classes.beside} title={why}>
      <input
        type="checkbox"
        checked={isShown}
        disabled={isAlone || !hasRoom}
        aria-label={`Chart ${name}`}
        onChange={() => onToggle(name)}
      />
    </label>
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
