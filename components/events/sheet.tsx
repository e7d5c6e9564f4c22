"use client";
import { Button, Drawer } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EventView } from "@/server/contracts/events";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { eventsQuery } from "../queries/events";
import { Failure, Loading } from "../ui/feedback";
import { formatInstant, formatTick } from "../ui/format";
import { Link } from "../ui/link";
import { useNow } from "../ui/clock";
import { useZone } from "../ui/zone";
import { Said } from "../ui/said";
import classes from "./events.module.css";
import { NoteDialog } from "./note";
import { KIND_WORDS, lasted } from "./view";

/** The time before and after that is shown with an event. */
const AROUND_MS = 5 * 60_000;

/** One event, beside the list: what is known of it, and what else happened in the ten minutes around its beginning. */
export function EventSheet({ event, onClose }: { readonly event: EventView; readonly onClose: () => void }) {
  const { zone } = useZone();
  const now = useNow(10_000);
  const mayWrite = useMay("operate", event.site);
  const [isEditing, setEditing] = useState(false);
  const at = Date.parse(event.from);
  const around = {
    from: new Date(at - AROUND_MS).toISOString(),
    to: new Date(at + AROUND_MS).toISOString(),
  };
  const { data, error } = useQuery(eventsQuery({ ...around, limit: 50 }));
  // What merely went on meanwhile began long before.
  const began = data?.items.filter(({ from }) => Date.parse(from) >= at - AROUND_MS);
  const length = lasted(event, now);
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size={440}
      title={<Said text={event.sentence} />}
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={{ duration: 0 }}
    >
      <div className={classes.sheet}>
        <dl className={classes.facts}>
          <dt>Kind</dt>
          <dd>{KIND_WORDS[event.kind]}</dd>
          <dt>From</dt>
          <dd>{formatInstant(at, zone)}</dd>
          {length === null ? null : (
            <>
              <dt>To</dt>
              <dd>{event.to === null ? "goes on" : formatInstant(Date.parse(event.to), zone)}</dd>
              <dt>Lasted</dt>
              <dd>{length}</dd>
            </>
          )}
          {event.site === null ? null : (
            <>
              <dt>Site</dt>
              <dd>{event.site}</dd>
            </>
          )}
          {event.devices.length === 0 ? null : (
            <>
              <dt>{event.count > 1 ? "Devices" : "Device"}</dt>
              <dd>
                {event.devices.map((device, i) => (
                  <span key={device}>
                    {i > 0 ? ", " : ""}
                    <Link href={`/devices/${toSegment(device)}`}>{device}</Link>
                  </span>
                ))}
                {event.count > event.devices.length ? ` and ${event.count - event.devices.length} more` : ""}
              </dd>
            </>
          )}
          {event.note === null ? null : (
            <>
              <dt>By</dt>
              <dd>{event.note.by}</dd>
            </>
          )}
        </dl>
        <div className={classes.buttons}>
          {event.alert === null ? null : <Link href={`/alerts/${event.alert}`}>Open the alert</Link>}
          {event.note !== null && mayWrite ? (
            <Button size="xs" variant="default" onClick={() => setEditing(true)}>
              Edit the note
            </Button>
          ) : null}
        </div>
        <h3>The 10 minutes around</h3>
        {began ? (
          <ul className={classes.around}>
            {began.toReversed().map((one) => (
              <li key={one.id} data-this={one.id === event.id || undefined}>
                <time dateTime={one.from}>{formatTick(Date.parse(one.from), zone, AROUND_MS)}</time>
                <span>
                  <Said text={one.sentence} />
                </span>
              </li>
            ))}
          </ul>
        ) : error ? (
          <Failure
            what="They could not be loaded"
            why={error.message}
            advice="They are asked for again by themselves."
          />
        ) : (
          <Loading rows={3} height={18} label="Loading what happened around it" />
        )}
      </div>
      {isEditing && event.note !== null ? (
        <NoteDialog note={{ ...event.note, event }} onClose={() => setEditing(false)} />
      ) : null}
    </Drawer>
  );
}
