"use client";
import type { AlertWithEvents } from "@/server/contracts/alerts";
import { counted } from "@/server/domain/counted";
import { formatMetric } from "../ui/format";
import classes from "./alert.module.css";
import { EVENT_WORDS } from "./event-words";
import { foldEvents } from "./fold-events";
import { Moment } from "./moment";

/** What happened to an alert, in order. */
export function Timeline({ alert }: { alert: AlertWithEvents }) {
  const { events, unit, decimals } = alert;
  return (
    <ol className={classes.timeline}>
      {foldEvents(events).map(
        ({ first: { id, kind, severity, at, value, metric, unit: own, reason, by, note }, more, last }) => (
          <li key={id}>
            <Moment time={at} />
            <div>
              {EVENT_WORDS[kind] ?? kind}
              {kind === "fired" || kind === "severity" ? ` as ${severity}` : ""}
              {by === null ? "" : ` by ${by}`}
              {value === null || kind === "acknowledged" ? null : (
                <>
                  {kind === "stale" ? ", last " : " at "}
                  {metric === null ? "" : `${metric} `}
                  {formatMetric(value, metric === null || metric === alert.metric ? decimals : null)}
                  {(metric === null ? unit : own) ? <small> {metric === null ? unit : own}</small> : null}
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
        ),
      )}
    </ol>
  );
}
