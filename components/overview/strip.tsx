"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { stripDevicesQuery } from "../queries/overview";
import { Loading } from "../ui/feedback";
import { Section } from "../ui/section";
import { useIsClient } from "../ui/use-is-client";
import classes from "./strip.module.css";
import { MOST_PINS, type Pin, usePins } from "../shell/pins";
import { keepPlaces } from "./places";
import { StripTile } from "./strip-tile";

const PLACES = MOST_PINS;

/** A few devices at a glance: those pinned here, then those that fell behind last, then live ones. */
export function Strip() {
  const [pins, togglePin] = usePins();
  const isClient = useIsClient();
  const pinned = pins.map(({ device }) => device);
  const { data, error } = useQuery({ ...stripDevicesQuery(pinned, PLACES), enabled: isClient });
  const shown = useSteady(pinned, data?.filter(hasNumber).map(({ id }) => id) ?? []);
  const metricOf = (id: string): Pin["metric"] => pins.find(({ device }) => device === id)?.metric ?? null;
  return (
    <Section
      title="Watched devices"
      aside={
        <span className={classes.aside}>
          {pins.length > 0 ? "pinned first, then overdue" : "overdue first; pin those that matter"}
        </span>
      }
    >
      {data && shown.length === 0 ? <p className={classes.none}>No device has sent a number yet.</p> : null}
      {!data && error ? <p className={classes.none}>Could not be loaded: {error.message}</p> : null}
      {!data && !error ? <Loading rows={1} height={92} label="Loading devices" /> : null}
      {shown.length > 0 ? (
        <ul className={classes.strip}>
          {shown.map((id) => (
            <StripTile
              key={id}
              id={id}
              found={data?.find((device) => device.id === id)}
              metric={metricOf(id)}
              isPinned={pinned.includes(id)}
              onPin={(metric) => togglePin({ device: id, metric })}
            />
          ))}
        </ul>
      ) : null}
    </Section>
  );
}

function hasNumber({ values }: { values: Readonly<Record<string, { value: unknown }>> }): boolean {
  return Object.values(values).some(({ value }) => typeof value === "number");
}

/** Returns the tiles to show: each stays in its place while it is wanted, and pinned ones come first. */
function useSteady(pinned: readonly string[], wanted: readonly string[]): readonly string[] {
  const [places, setPlaces] = useState<readonly string[]>([]);
  const distinct = [...new Set(wanted)];
  const front = pinned.filter((id) => distinct.includes(id));
  const rest = keepPlaces(
    places.filter((id) => !front.includes(id)),
    distinct.filter((id) => !front.includes(id)),
    Math.max(0, PLACES - front.length),
  );
  const next = [...front, ...rest];
  if (next.join("\n") !== places.join("\n")) setPlaces(next);
  return next;
}
