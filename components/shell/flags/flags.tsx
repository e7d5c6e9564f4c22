"use client";
import { useQuery } from "@tanstack/react-query";
import type { DeviceQuality } from "@/server/contracts/quality";
import { counted } from "@/server/domain/counted";
import { deviceQualityQuery } from "../../queries/quality";
import { CHECKS } from "../../ui/check-words";
import { formatInstant, formatTotal, type Zone } from "../../ui/format";
import { Spoken } from "../../ui/spoken";
import { StateMark } from "../../ui/state-mark";
import { PLOT } from "../../ui/time-chart-plot";
import classes from "./flags.module.css";
import { type Flag, placesOf } from "./flag-places";
import type { Stretch } from "../../ui/ranges";

/** Stretches are asked for in such steps, so that a live chart doesn't ask anew with each frame. */
const STEP_MS = 30_000;

/** What is flagged of a device's readings in a stretch, and in these series of it. Undefined until it is known. */
export function useFlags(device: string, { from, to }: Stretch) {
  const query = deviceQualityQuery(
    device,
    Math.max(0, Math.floor(from / STEP_MS) * STEP_MS),
    Math.ceil(to / STEP_MS) * STEP_MS,
  );
  const { data, error } = useQuery(query);
  return { quality: data, error };
}

/** The flags of series, and of their device, that a stretch has. */
export function flagsOf(quality: DeviceQuality | undefined, metrics: readonly string[]): readonly Flag[] {
  return (
    quality?.flags.flatMap(({ from, to, ...flag }) =>
      flag.metric === null || metrics.includes(flag.metric)
        ? [{ ...flag, from: Date.parse(from), to: Date.parse(to) }]
        : [],
    ) ?? []
  );
}

interface FlagStripProps extends Stretch {
  flags: readonly Flag[];
  metrics: readonly string[];
  zone: Zone;
}

/** Beneath a chart, in its time: where checks flag its readings. Its place is kept while there is nothing. */
export function FlagStrip({ flags, metrics, from, to, zone }: FlagStripProps) {
  const places = placesOf(flags, from, to);
  return (
    <div className={classes.flags} style={{ marginLeft: PLOT.left, marginRight: PLOT.right }}>
      <small aria-hidden>Flags</small>
      <div className={classes.strip}>
        {places.map(({ flag, left, width }) => (
          <span
            key={`${flag.metric} ${flag.check} ${flag.from}`}
            data-level={flag.level}
            title={`${wordsOf(flag)}, ${momentsOf(flag, zone)}`}
            style={{ left: `${left}%`, width: `max(3px, ${width}%)` }}
          />
        ))}
      </div>
      <Spoken as="p">
        {places.length === 0
          ? `No reading of ${metrics.join(", ")} is flagged.`
          : `${counted(places.length, "stretch is", "stretches are")} flagged: ${places
              .slice(0, 10)
              .map(({ flag }) => `${wordsOf(flag)}, ${momentsOf(flag, zone)}`)
              .join("; ")}.`}
      </Spoken>
    </div>
  );
}

/** The same as a table, newest first. */
export function FlagTable({ flags, zone }: { flags: readonly Flag[]; zone: Zone }) {
  if (flags.length === 0) return <p className={classes.none}>Nothing is flagged in this time.</p>;
  return (
    <div className={classes.tableBox} role="region" aria-label="Flags as a table" tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            {["Flag", "Of", "From", "To"].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            <th scope="col" data-number>
              Told
            </th>
          </tr>
        </thead>
        <tbody>
          {[...flags].reverse().map((flag) => (
            <tr key={`${flag.metric} ${flag.check} ${flag.from}`}>
              <td>
                <StateMark
                  mark={flag.level === "fail" ? "failing" : "warning"}
                  word={CHECKS[flag.check].title}
                  title={CHECKS[flag.check].about}
                />
              </td>
              <td>{flag.metric ?? "all metrics"}</td>
              <td>{formatInstant(flag.from, zone)}</td>
              <td>{formatInstant(flag.to, zone)}</td>
              <td data-number>{formatTotal(flag.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function wordsOf({ check, metric, level }: Flag): string {
  const { title } = CHECKS[check];
  return `${title}${metric === null ? "" : ` of ${metric}`}${level === "fail" ? " (fails)" : ""}`;
}

function momentsOf({ from, to }: Flag, zone: Zone): string {
  return from === to ? formatInstant(from, zone) : `${formatInstant(from, zone)} to ${formatInstant(to, zone)}`;
}
