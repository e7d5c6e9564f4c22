"use client";
import type { AlertWithEvents } from "@/server/contracts/alerts";
import { formatDuration } from "@/server/domain/duration";
import { Age } from "../ui/age";
import { formatMetric } from "../ui/format";
import classes from "./alert.module.css";
import { Moment } from "./moment";

/** The times of an alert: by the device's clock when it began and fired, by ours when that was known. */
export function Times({
  alert: { startedAt, firedAt, decidedAt, endedAt, worstValue, worstAt, unit, decimals },
}: {
  alert: AlertWithEvents;
}) {
  const waited = Date.parse(firedAt) - Date.parse(startedAt);
  const late = Date.parse(decidedAt) - Date.parse(firedAt);
  return (
    <dl className={classes.times}>
      <div>
        <dt>Started</dt>
        <dd>
          <Moment time={startedAt} />
        </dd>
      </div>
      <div>
        <dt>Fired{waited > 0 ? `, after ${formatDuration(waited)}` : ""}</dt>
        <dd>
          <Moment time={firedAt} />
        </dd>
      </div>
      <div>
        <dt>Decided{late > 0 ? `, ${formatDuration(late)} later` : ""}</dt>
        <dd>
          <Moment time={decidedAt} />
        </dd>
      </div>
      <div>
        <dt>{endedAt === null ? "Not over yet" : "Ended"}</dt>
        <dd>{endedAt === null ? "" : <Moment time={endedAt} />}</dd>
      </div>
      {worstValue === null ? null : (
        <div>
          <dt>Worst</dt>
          <dd>
            {formatMetric(worstValue, decimals)}
            {unit ? <small> {unit}</small> : null}
            {worstAt === null ? null : (
              <>
                {", "}
                <Age time={worstAt} />
              </>
            )}
          </dd>
        </div>
      )}
    </dl>
  );
}
