"use client";
import type { AlertWithEvents } from "@/server/contracts/alerts";
import { counted } from "@/server/domain/counted";
import { formatMetric } from "../ui/format";
import classes from "./alert.module.css";
import { EVENT_WORDS } from "./event-words";
import { foldEvents } from "./fold-events";
import { Moment } from "./moment";

/** What happened to an alert, in order. */
export function Timeline({ alert: { events, unit, decimals } }: { alert: AlertWithEvents }) {
  return (
    <ol className={classes.timeline}>
      {foldEvents(events).map(({ first: { id, kind, severity, at, value, reason, by, note }, more, last }) => (
        <li key={id}>
          <Moment time={at} />
          <div>
            {EVENT_WORDS[kind] ?? kind}
            {kind === "fired" || kind === "severity" ? ` as ${severity}` : ""}
            {by === null ? "" : ` by ${by}`}
            {value === null || kind === "acknowledged" ? null : (
              <>
                {kind === "stale" ? ", last " : " at "}
                {formatMetric(value, decimals)}
                {unit ? <small> {unit}</small> : null}
              </>
            )}
            {note === null ? null : <p>{note}</p>}
            {reason === null ? null : <p>{reason}</p>}
            {more === 0 ? null : (
              <p>
                and {counted(more, "more time")}, last <Moment time={last.at} />
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
