"use client";
import { Button } from "@mantine/core";
import type { Alert } from "@/server/contracts/alerts";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { Age } from "../ui/age";
import { Link } from "../ui/link";
import { Since } from "../ui/since";
import { StateMark } from "../ui/state-mark";
import classes from "./alerts.module.css";
import { asideOf, standingOf, type What } from "./words";

interface RowProps {
  readonly alert: Alert;
  readonly what: What;
  readonly isCurrent: boolean;
  readonly onCurrent: () => void;
  readonly onAcknowledge: () => void;
}

/** One alert of the inbox. */
export function Row({ alert, what, isCurrent, onCurrent, onAcknowledge }: RowProps) {
  const { id, device, site, subject, rule, acknowledged, startedAt, endedAt } = alert;
  const mayOperate = useMay("operate", site);
  const [mark, word] = standingOf(alert);
  const aside = asideOf(alert);
  const place = device ?? subject;
  return (
    <li
      className={classes.row}
      data-alert={id}
      data-current={isCurrent || undefined}
      data-ended={endedAt !== null || undefined}
      data-acknowledged={acknowledged !== null || undefined}
      onFocus={onCurrent}
    >
      <span className={classes.state} data-severity={alert.severity}>
        <StateMark
          mark={mark}
          word={word}
          {...(acknowledged && endedAt === null ? { title: `Acknowledged by ${acknowledged.by}` } : {})}
        />
        {aside ? <small>{aside}</small> : null}
      </span>
      <Link className={classes.what} href={`/alerts/${id}`} title={rule.name}>
        <WhatWords what={what} />
      </Link>
      <span className={classes.place}>
        {device === null ? null : <Link href={`/devices/${toSegment(device)}`}>{device}</Link>}
        {subject === null ? null : <span>{subject}</span>}
        {site === null ? null : <span>{site}</span>}
      </span>
      <span className={classes.when}>
        {endedAt === null ? (
          <>
            <Age time={startedAt} />
            <small>
              since <Since time={startedAt} />
            </small>
          </>
        ) : (
          <>
            <Age time={endedAt} />
            <small>
              <Since time={startedAt} /> to <Since time={endedAt} />
            </small>
          </>
        )}
      </span>
      <span className={classes.by}>
        {acknowledged === null ? null : (
          <>
            <span title={acknowledged.by}>{acknowledged.by}</span>
            <small>
              {acknowledged.note ?? (acknowledged.until === null ? "acknowledged" : "acknowledged until ")}
              {acknowledged.note === null && acknowledged.until !== null ? <Since time={acknowledged.until} /> : null}
            </small>
          </>
        )}
      </span>
      <span className={classes.act}>
        {mayOperate && endedAt === null && acknowledged === null ? (
          <Button
            size="compact-sm"
            variant="default"
            aria-label={`Acknowledge ${rule.name}${place === null ? "" : ` of ${place}`}`}
            onClick={onAcknowledge}
          >
            Acknowledge
          </Button>
        ) : null}
      </span>
    </li>
  );
}

/** What an alert is about, its unit muted. */
export function WhatWords({ what: { subject, value, unit, limit } }: { what: What }) {
  return (
    <>
      {subject}
      {value === null ? null : (
        <>
          {" "}
          <b>{value}</b>
          {unit ? <small> {unit}</small> : null}
          {limit ? "," : ""}
        </>
      )}
      {limit ? <span className={classes.limit}> {limit}</span> : null}
    </>
  );
}
