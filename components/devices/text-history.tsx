"use client";
import { type KeyboardEvent, type PointerEvent, memo, useMemo, useSyncExternalStore } from "react";
import { type TextBand, type TextSeries, textBands, textShares } from "../live/texts";
import { shareOfTime } from "../shell/flags/flag-places";
import {
  formatDuration,
  formatInstant,
  formatMoment,
  formatShare,
  formatTick,
  type Zone,
  zoneName,
} from "../ui/format";
import type { Stretch } from "../ui/ranges";
import { Spoken } from "../ui/spoken";
import type { Crosshair } from "../ui/time-chart-crosshair";
import { PLOT } from "../ui/time-chart-plot";
import { timeTicks } from "../ui/time-ticks";
import { useTurn } from "../ui/use-turn";
import { bandWords, textColors, TextStrip } from "./text-strip";
import base from "./figures-table.module.css";
import classes from "./texts.module.css";

/** Turns of the charts' clock between two drawings: once a second. */
const TURNS = 4;
/** Values told beneath the bands. */
const MOST_TOLD = 8;

interface TextHistoryProps extends Stretch {
  readonly device: string;
  readonly text: TextSeries;
  readonly zone: Zone;
  /** The moment a person chose: it changes what is drawn at once. */
  readonly choice: string;
  /** Event time of the device's latest reading: until then the last value holds. */
  readonly heldUntil: number | null;
  /** Shared by all charts of the page, which point at the same moment. */
  readonly crosshair: Crosshair;
}

/** What a field of words said over the range: its bands with what is pointed at, the share of each value, and every change as a table. */
export function TextHistory({ choice, ...props }: TextHistoryProps) {
  const { text, from, to, heldUntil } = props;
  const drawn = useTurn({ text, from, to, heldUntil }, 0, TURNS, choice);
  return <Drawn {...props} {...drawn} />;
}

const Drawn = memo(function Drawn(props: Omit<TextHistoryProps, "choice">) {
  const { device, text, from, to, zone, heldUntil, crosshair } = props;
  const bands = useMemo(() => textBands(text.runs, { from, to }, heldUntil), [text, from, to, heldUntil]);
  const ticks = useMemo(() => timeTicks(from, to, zoneName(zone)), [from, to, zone]);
  const colorOf = textColors(bands);
  const shares = textShares(bands);
  const range = `from ${formatMoment(from, zone)} to ${formatMoment(to, zone)}`;
  if (bands.length === 0)
    return (
      <p className={classes.note}>
        Nothing is known of {text.field} {range}.
      </p>
    );
  return (
    <figure className={classes.figure} aria-label={`${text.field} of ${device}`}>
      <Pointing {...{ bands, from, to, zone, crosshair, colorOf }} field={text.field}>
        <TextStrip bands={bands} from={from} to={to} />
        <span className={classes.ticks} aria-hidden>
          {ticks.map((time) => (
            <span key={time} style={{ left: `${shareOfTime(time, from, to)}%` }}>
              {formatTick(time, zone, to - from)}
            </span>
          ))}
        </span>
      </Pointing>
      <ul className={classes.values} aria-label="Share of the time of each value">
        {shares.slice(0, MOST_TOLD).map(({ value, share }) => (
          <li key={value ?? ""}>
            <Mark value={value} colorOf={colorOf} />
            {bandWords({ value, bands: 1 })} {formatShare(share)}
          </li>
        ))}
        {shares.length > MOST_TOLD ? <li>and {shares.length - MOST_TOLD} more</li> : null}
      </ul>
      <Changes {...{ bands, zone, colorOf }} field={text.field} />
      {text.more ? (
        <p className={classes.note}>The newest {text.runs.length} are shown: choose a shorter time for those before.</p>
      ) : null}
      <Spoken as="p">
        {`${text.field} of ${device} ${range}, ${zoneName(zone)}: ${shares
          .slice(0, MOST_TOLD)
          .map(({ value, share }) => `${bandWords({ value, bands: 1 })} ${formatShare(share)}`)
          .join(", ")}.`}
      </Spoken>
    </figure>
  );
});

interface PointingProps extends Stretch {
  readonly field: string;
  readonly bands: readonly TextBand[];
  readonly zone: Zone;
  readonly crosshair: Crosshair;
  readonly colorOf: (value: string) => string;
  readonly children: React.ReactNode;
}

const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** The bands with a cross-hair: by pointer, by tap, which stays, and by arrow keys from change to change. */
function Pointing({ field, bands, from, to, zone, crosshair, colorOf, children }: PointingProps) {
  const at = useSyncExternalStore(crosshair.subscribe, crosshair.get, () => null);
  const isShown = at !== null && at >= from && at <= to;
  const place = isShown ? bands.findLastIndex((band) => band.from <= at) : bands.length - 1;
  const found = bands[place];
  const pointed = found && (!isShown || at <= found.to) ? found : undefined;
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    crosshair.set(Math.round(from + share * (to - from)));
  };
  const press = (event: KeyboardEvent<HTMLElement>) => {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Escape") return crosshair.set(null);
    const steps = KEYS[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const next = isShown
      ? Math.min(bands.length - 1, Math.max(0, place + steps))
      : steps < 0 && steps > -Infinity
        ? place
        : 0;
    crosshair.set(bands[next]!.from);
  };
  const words = pointed ? sentenceOf(pointed, zone) : "nothing known";
  return (
    <>
      <div className={classes.readOut} style={{ marginLeft: PLOT.left }}>
        {isShown ? <time>{formatInstant(at, zone)}</time> : <time>latest</time>}
        {pointed ? <Mark value={pointed.value} colorOf={colorOf} /> : null}
        {pointed ? (
          <span>
            <b>{bandWords(pointed)}</b> {whenOf(pointed, zone)}
          </span>
        ) : (
          <span>{words}</span>
        )}
      </div>
      <div
        className={classes.plot}
        style={{ marginLeft: PLOT.left, marginRight: PLOT.right }}
        role="slider"
        tabIndex={0}
        aria-label={`${field} over time: arrow keys read its changes`}
        aria-valuemin={Math.round(from)}
        aria-valuemax={Math.round(to)}
        aria-valuenow={Math.round(isShown ? at : to)}
        aria-valuetext={words}
        onKeyDown={press}
        onPointerDown={point}
        onPointerMove={point}
        onPointerLeave={(event) => {
          if (event.pointerType !== "touch") crosshair.set(null);
        }}
      >
        {children}
        {isShown ? (
          <span className={classes.line} style={{ left: `${shareOfTime(at, from, to)}%` }} aria-hidden />
        ) : null}
      </div>
    </>
  );
}

/** Since when, until when and for how long. */
function whenOf({ since, until, to }: TextBand, zone: Zone): string {
  const span = formatDuration((until ?? to) - since);
  return `since ${formatInstant(since, zone)}, ${until === null ? `for ${span} so far` : `for ${span}, until ${formatInstant(until, zone)}`}`;
}

function sentenceOf(band: TextBand, zone: Zone): string {
  return `${bandWords(band)} ${whenOf(band, zone)}`;
}

function Mark({ value, colorOf }: { value: string | null; colorOf: (value: string) => string }) {
  if (value === null) return <i data-lost aria-hidden="true" />;
  return <i style={{ background: colorOf(value) }} aria-hidden="true" />;
}

interface ChangesProps {
  readonly field: string;
  readonly bands: readonly TextBand[];
  readonly zone: Zone;
  readonly colorOf: (value: string) => string;
}

/** Every change as a row, newest first. */
function Changes({ field, bands, zone, colorOf }: ChangesProps) {
  return (
    <div className={classes.tableBox} role="region" aria-label={`Changes of ${field}`} tabIndex={0}>
      <table className={`${base.table} ${classes.table}`}>
        <thead>
          <tr>
            <th scope="col">Since</th>
            <th scope="col">Value</th>
            <th scope="col">For</th>
          </tr>
        </thead>
        <tbody>
          {bands.toReversed().map((band) => (
            <tr key={band.since}>
              <td>{formatInstant(band.since, zone)}</td>
              <td>
                <Mark value={band.value} colorOf={colorOf} /> {bandWords(band)}
              </td>
              <td>
                {formatDuration((band.until ?? band.to) - band.since)}
                {band.until === null ? " so far" : ""}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
