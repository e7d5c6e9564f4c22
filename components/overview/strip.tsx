"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { watchedDevicesQuery } from "../queries/overview";
import { Link } from "../ui/link";
import { Loading } from "../ui/feedback";
import { Section } from "../ui/section";
import { useIsClient } from "../ui/use-is-client";
import classes from "./strip.module.css";
import { MOST_PINS, type Pin, usePins } from "../shell/pins";
import { keepPlaces } from "./places";
import { StripTile } from "./strip-tile";

const PLACES = MOST_PINS;

/** A few devices at a glance: those pinned here, then those at which alerts fire, then those that fell behind last. */
export function Strip() {
  const [pins, togglePin] = usePins();
  const isClient = useIsClient();
  const pinned = pins.map(({ device }) => device);
  const { data, error } = useQuery({ ...watchedDevicesQuery(pinned, PLACES), enabled: isClient });
  const shown = useSteady(pinned, data?.map(({ device }) => device.id) ?? []);
  const metricOf = (id: string): Pin["metric"] => pins.find(({ device }) => device === id)?.metric ?? null;
  return (
    <Section title="Watched devices" aside={<span className={classes.aside}>pinned, then firing, then overdue</span>}>
      {data && shown.length === 0 ? (
        <p className={classes.none}>
          No alert fires at a device, none is overdue. To keep one here, open it from{" "}
          <Link href="/devices">all devices</Link> and choose “Pin to the overview” in the menu that names the time
          zone.
        </p>
      ) : null}
      {!data && error ? <p className={classes.none}>Could not be loaded: {error.message}</p> : null}
      {!data && !error ? <Loading rows={1} height={92} label="Loading devices" /> : null}
      {shown.length > 0 ? (
        <ul className={classes.strip}>
          {shown.map((id) => {
            const found = data?.find(({ device }) => device.id === id);
            return (
              <StripTile
                key={id}
                id={id}
                found={found?.device}
                alert={found?.alert ?? null}
                metric={metricOf(id)}
                isPinned={pinned.includes(id)}
                onPin={(metric) => togglePin({ device: id, metric })}
              />
            );
          })}
        </ul>
      ) : null}
    </Section>
  );
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
