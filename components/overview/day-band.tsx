"use client";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from "react";
import type { EventView } from "@/server/contracts/events";
import { counted } from "@/server/domain/counted";
import { LANES } from "@/server/domain/events/event";
import { eventsQuery } from "../queries/events";
import { useNow } from "../ui/clock";
import { formatDuration, formatTick, withZonedTimes, type Zone, zoneName } from "../ui/format";
import { timeTicks } from "../ui/time-ticks";
import { useZone } from "../ui/zone";
import { Spoken } from "../ui/spoken";
import classes from "./day-band.module.css";
import { SinceLastLook } from "./last-look";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** A step of the arrow keys; what is pointed at may be so far away. */
const STEP_MS = 10 * MINUTE_MS;
const NAMES = { ingest: "Ingest", worker: "Worker", stores: "Stores", devices: "Devices", alerts: "Alerts" } as const;

/** The last 24 hours in a lane each: what was wrong, when and for how long. A click or Enter opens the events there. */
export function DayBand() {
  const router = useRouter();
  const { zone } = useZone();
  const to = Math.ceil(useNow(MINUTE_MS) / MINUTE_MS) * MINUTE_MS;
  const from = to - DAY_MS;
  const { data, error } = useQuery({
    ...eventsQuery({
      from: new Date(from).toISOString(),
      severity: "warning",
      kinds: "silence,probe,process,lag,alert",
      limit: 500,
    }),
    // While rendering on the server, and for the first time in the browser, no time is known.
    enabled: to > 0,
  });
  const [at, setAt] = useState<number | null>(null);
  const ticks = useMemo(() => (to > 0 ? timeTicks(from, to, zoneName(zone)) : []), [from, to, zone]);
  const share = (time: number) => `${(Math.min(1, Math.max(0, (time - from) / DAY_MS)) * 100).toFixed(3)}%`;
  const events = data?.items ?? [];
  const open = (time: number) => {
    const around = { from: new Date(time - 3 * STEP_MS).toISOString(), to: new Date(time + 3 * STEP_MS).toISOString() };
    router.push(`/events?${new URLSearchParams(around).toString()}`);
  };
  const timeOf = (event: PointerEvent<HTMLElement> | React.MouseEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return from + Math.min(1, Math.max(0, (event.clientX - left - 64) / (width - 64))) * DAY_MS;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -STEP_MS, ArrowRight: STEP_MS }[event.key];
    if (step !== undefined) setAt(Math.min(to, Math.max(from, (at ?? to) + step)));
    else if (event.key === "Home") setAt(from);
    else if (event.key === "End") setAt(to);
    else if (event.key === "Enter" || event.key === " ") open(at ?? to);
    else return;
    event.preventDefault();
  };
  return (
    <section className={classes.band} aria-label="The last 24 hours">
      <div className={classes.head}>
        <SinceLastLook />
        <p className={classes.readout} role="status">
          {at === null
            ? summary(data?.items ?? null, error)
            : readOut(data?.items ?? null, at, formatTick(at, zone, DAY_MS), zone)}
        </p>
      </div>
      <button
        type="button"
        className={classes.plot}
        onPointerMove={(event) => setAt(timeOf(event))}
        onPointerDown={(event) => setAt(timeOf(event))}
        onPointerLeave={(event) => (event.pointerType === "mouse" ? setAt(null) : undefined)}
        // A tap reads; the keys come as onKeyDown.
        onClick={(event) =>
          event.detail > 0 && matchMedia("(pointer: fine)").matches ? open(timeOf(event)) : undefined
        }
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
      >
        <Spoken>Troubles of the last 24 hours; arrow keys move, Enter opens the events there.</Spoken>
        {LANES.map((lane) => (
          <span key={lane} style={{ display: "contents" }}>
            <span className={classes.name}>{NAMES[lane]}</span>
            <span className={classes.lane} data-known={laneState(data, error)}>
              {events
                .filter((event) => event.lane === lane)
                .map((event) => {
                  const [start, end] = [Date.parse(event.from), event.to === null ? to : Date.parse(event.to)];
                  const width = `${((Math.min(to, end) - Math.max(from, start)) / DAY_MS) * 100}%`;
                  // The shortest mark of the style sheet, at the end of the lane, stays inside.
                  const left = `min(${share(start)}, 100% - 3px)`;
                  return <i key={event.id} data-severity={event.severity} style={{ left, width }} />;
                })}
            </span>
          </span>
        ))}
        <span className={classes.at}>{at === null ? null : <i style={{ left: share(at) }} />}</span>
      </button>
      <div className={classes.ticks} aria-hidden="true">
        {ticks
          .filter((tick) => tick - from > DAY_MS / 40 && to - tick > DAY_MS / 40)
          .map((tick) => (
            <span key={tick} style={{ left: share(tick) }}>
              {formatTick(tick, zone, DAY_MS)}
            </span>
          ))}
      </div>
    </section>
  );
}

/** Undefined: known. Not yet and unknown are two pictures. */
function laneState(data: object | undefined, error: Error | null): "not-yet" | "unknown" | undefined {
  if (data !== undefined) return undefined;
  return error === null ? "not-yet" : "unknown";
}

function summary(events: readonly EventView[] | null, error: Error | null): string {
  if (events === null) return error === null ? "" : "The troubles of the last 24 hours could not be loaded";
  if (events.length === 0) return "No trouble in 24 h";
  return `${counted(events.length, "trouble")} in 24 h`;
}

function readOut(events: readonly EventView[] | null, at: number, time: string, zone: Zone): string {
  if (events === null) return `${time} · not known`;
  const near = events.filter(({ from, to }) => {
    const [start, end] = [Date.parse(from), to === null ? Infinity : Date.parse(to)];
    return start - STEP_MS / 2 <= at && end + STEP_MS / 2 >= at;
  });
  const [first] = near;
  if (!first) return `${time} · nothing`;
  const ms = first.to === null ? null : Date.parse(first.to) - Date.parse(first.from);
  const long = ms === null ? ", still" : `, ${formatDuration(ms)}`;
  return `${time} · ${withZonedTimes(first.sentence, zone)}${long}${near.length > 1 ? ` · ${near.length - 1} more` : ""}`;
}
