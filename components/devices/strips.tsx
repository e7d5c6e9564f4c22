"use client";
import { TextInput } from "@mantine/core";
import { memo, type ReactNode, useState } from "react";
import type { CurrentValue } from "@/server/contracts/common";
import type { DeviceDetail } from "@/server/contracts/devices";
import { counted } from "@/server/domain/counted";
import { Age } from "../ui/age";
import { formatMeasure, formatMetric } from "../ui/format";
import { isGuessed, type KnownMetrics, shownAs, unitOf } from "../ui/meaning";
import { inMetricOrder } from "../ui/metric-order";
import { Quantity } from "../ui/quantity";
import { metricColor } from "../ui/theme";
import { useTurn } from "../ui/use-turn";
import { changeOnly, emptyFlag, extremesOf, heldBefore, type Series, toStretches } from "../live/series";
import { type TextSeries, textBands } from "../live/texts";
import { looksLikeNumber } from "./looks-like-number";
import type { Stretch } from "../ui/ranges";
import { Strip } from "./strip";
import { TextStrip } from "./text-strip";
import classes from "./strips.module.css";
import type { HistoryView } from "./use-history";

/** A value this much older than the device's latest is one the device has stopped sending. */
const STALE_MS = 5 * 60_000;
/** From so many metrics on there is a field to filter them. */
const FILTERED_FROM = 9;
/** Strips take so many turns of the charts' clock: they are drawn once a second. */
const TURNS = 4;

interface StripsProps {
  readonly device: DeviceDetail;
  readonly known: KnownMetrics;
  readonly view: HistoryView;
  /** Metrics whose charts are open. */
  readonly open: readonly string[];
  /** Opens one metric's chart alone, or closes it. */
  readonly onOpen: (metric: string) => void;
  /** Opens a metric's chart beside the others, or closes it. */
  readonly onToggle: (metric: string) => void;
  /** What stands beneath a metric: its chart. */
  readonly beneath: (metric: string) => ReactNode;
}

/** Every metric and text of a device: its latest value, and a strip of the range. Choosing one opens its chart beneath it. */
export function Strips({ device, known, view, open, onOpen, onToggle, beneath }: StripsProps) {
  const [wanted, setWanted] = useState("");
  const drawn = useTurn(view, 0, TURNS, `${view.choice} ${view.isStale} ${view.strips === undefined}`);
  const { values, lastEventTime } = device;
  const names = inMetricOrder(Object.keys(values));
  if (names.length === 0) return <p className={classes.muted}>No value yet.</p>;
  const latest = lastEventTime ? Date.parse(lastEventTime) : 0;
  const shown = names.filter((name) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  const held = changeOnly(drawn.strips);
  const strips = new Map(drawn.strips?.map((series) => [series.metric, series]));
  const texts = new Map(drawn.texts?.map((text) => [text.field, text]));
  /** Of a flag that didn't change in this time, the value it has. */
  const stripOf = (name: string) => {
    const found = strips.get(name);
    const isFlag = typeof shownAs(values[name]!.value, known.get(name)?.kind) === "boolean";
    if (!drawn.strips || (!found && !isFlag)) return found;
    return heldBefore(found ?? emptyFlag(device.id, name), values[name], drawn.from);
  };
  return (
    <>
      {names.length >= FILTERED_FROM ? (
        <TextInput
          className={classes.filter}
          size="xs"
          aria-label="Filter metrics"
          placeholder={`Filter ${names.length} metrics`}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
      ) : null}
      {shown.length === 0 ? <p className={classes.muted}>No metric has “{wanted}” in its name.</p> : null}
      <ul className={classes.strips} data-shown={drawn.isStale || !drawn.strips ? undefined : drawn.choice}>
        {shown.map((name) => (
          <li key={name}>
            <Row
              {...{ device, known, name, onOpen, onToggle }}
              current={values[name]!}
              isStale={latest - Date.parse(values[name]!.time) > STALE_MS}
              isOpen={open.includes(name)}
            >
              {typeof values[name]!.value === "string" ? (
                <PastWords
                  text={texts.get(name)}
                  isLoaded={drawn.texts !== undefined}
                  from={drawn.from}
                  to={drawn.to}
                  heldUntil={drawn.latest}
                />
              ) : (
                <Past
                  series={stripOf(name)}
                  place={known.get(name)?.color ?? null}
                  isLoaded={drawn.strips !== undefined}
                  from={drawn.from}
                  to={drawn.to}
                  heldUntil={drawn.latest}
                  holds={held.includes(name) || stripOf(name)?.kind === "boolean"}
                />
              )}
            </Row>
            {beneath(name)}
          </li>
        ))}
      </ul>
    </>
  );
}

interface RowProps extends Pick<StripsProps, "device" | "known" | "onOpen" | "onToggle"> {
  readonly name: string;
  readonly current: CurrentValue;
  readonly isStale: boolean;
  readonly isOpen: boolean;
  readonly children: ReactNode;
}

function Row({ device, known, name, current, isStale, isOpen, onOpen, onToggle, children }: RowProps) {
  const metric = known.get(name);
  const { rounded } = device;
  const content = (
    <>
      <span className={classes.head}>
        <span className={classes.name} title={name}>
          {name}
        </span>
        <span className={classes.age}>
          {isGuessed(device, metric) ? <span title="An earlier version made this unit up">unit guessed, </span> : null}
          {looksLikeNumber(current.value) ? (
            <span title={`${name} is sent in quotes. Send it as a number, without them, and it gets a chart.`}>
              came as text, no chart,{" "}
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
      </span>
      <span className={classes.value} data-value={name}>
        <Flashing
          value={shownAs(current.value, metric?.kind)}
          unit={unitOf(device, name, metric)}
          time={Date.parse(current.time)}
          decimals={metric?.decimals ?? null}
        />
      </span>
      {children}
    </>
  );
  return (
    <div className={classes.row} data-stale={isStale || undefined}>
      <button
        type="button"
        aria-expanded={isOpen}
        title={isOpen ? `Close the chart of ${name}` : `Open the chart of ${name}; with Shift beside the others`}
        style={isOpen ? { boxShadow: `inset 2px 0 0 ${metricColor(name, metric?.color)}` } : undefined}
        onClick={(event) => (event.shiftKey ? onToggle(name) : onOpen(name))}
      >
        {content}
      </button>
      <label
        className={classes.beside}
        title={isOpen ? `Take ${name} out of the charts` : `Show ${name} beside the others`}
      >
        <input type="checkbox" checked={isOpen} aria-label={`Chart ${name}`} onChange={() => onToggle(name)} />
      </label>
    </div>
  );
}

/** The strip of a metric, and between which values it was. */
const Past = memo(function Past({ series, place, isLoaded, from, to, heldUntil, holds }: Stretch & PastProps) {
  const stretches = series ? toStretches(series, from, to, heldUntil, holds) : [];
  const isFlag = series?.kind === "boolean";
  const [low, high] = extremesOf(stretches);
  return (
    <>
      {series && stretches.length > 0 ? (
        <Strip series={series} place={place} from={from} to={to} heldUntil={heldUntil} holds={holds} />
      ) : (
        <span className={classes.words}>{isLoaded ? "No reading in this time" : ""}</span>
      )}
      <span className={classes.extremes}>
        {stretches.length > 0 && !isFlag ? `${formatMeasure(low)} – ${formatMeasure(high)}` : ""}
      </span>
    </>
  );
});

/** The strip of a field of words, and how often it changed. */
const PastWords = memo(function PastWords({ text, isLoaded, from, to, heldUntil }: Stretch & PastWordsProps) {
  const bands = text ? textBands(text.runs, { from, to }, heldUntil) : [];
  const changes = bands.length - 1;
  return (
    <>
      {bands.length > 0 ? (
        <TextStrip bands={bands} from={from} to={to} />
      ) : (
        <span className={classes.words}>{isLoaded ? "No message in this time" : ""}</span>
      )}
      <span className={classes.extremes}>
        {bands.length === 0 ? "" : text?.more ? `over ${counted(changes, "change")}` : counted(changes, "change")}
      </span>
    </>
  );
});

interface PastWordsProps {
  readonly text: TextSeries | undefined;
  /** False while nothing can be said. */
  readonly isLoaded: boolean;
  readonly heldUntil: number | null;
}

interface PastProps {
  readonly series: Series | undefined;
  /** The metric's place in the palette; null: by its name. */
  readonly place: number | null;
  /** False while nothing can be said. */
  readonly isLoaded: boolean;
  readonly heldUntil: number | null;
  readonly holds: boolean;
}

/** A value that stood for less than this doesn't flash when it changes: what changes with every message would flash all the time. */
const STOOD_MS = 5000;

/** A value that flashes softly when it changes after it had stood for a while. @param time its event time, epoch ms */
function Flashing({
  value,
  unit,
  time,
  decimals,
}: {
  value: CurrentValue["value"];
  unit: string | null | undefined;
  time: number;
  decimals: number | null;
}) {
  const [last, setLast] = useState({ value, time, flashes: 0 });
  if (last.value !== value) setLast({ value, time, flashes: last.flashes + (time - last.time >= STOOD_MS ? 1 : 0) });
  return (
    <span key={last.flashes} className={last.flashes === 0 ? undefined : classes.flash}>
      <Quantity value={value} unit={unit} format={(figure) => formatMetric(figure, decimals)} />
    </span>
  );
}
