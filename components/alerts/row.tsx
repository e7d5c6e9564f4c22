"use client";
import { Button } from "@mantine/core";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { useMetricLook } from "../queries/metrics";
import { Age } from "../ui/age";
import { Link } from "../ui/link";
import { formatTotal } from "../ui/format";
import { Since } from "../ui/since";
import { Sparkline } from "../ui/sparkline";
import { rangeOf } from "../ui/sparkline-path";
import { Spoken } from "../ui/spoken";
import { MarkShape, StateMark } from "../ui/state-mark";
import { metricColor } from "../ui/theme";
import classes from "./alerts.module.css";
import type { StillAlert } from "./still";
import { asideOf, standingOf, untoldWords, type What } from "./words";

interface RowProps {
  readonly alert: StillAlert;
  readonly what: What;
  /** The last hour of its metric by minute; undefined where there is none, or none yet. */
  readonly trend: readonly (number | null)[] | undefined;
  readonly limits: readonly number[];
  readonly isCurrent: boolean;
  /** True while those beneath it are listed. */
  readonly isOpen: boolean;
  readonly onCurrent: () => void;
  readonly onOpen: () => void;
  readonly onAcknowledge: () => void;
}

/** One alert of the inbox. */
export function Row(props: RowProps) {
  const { alert, what, trend, limits, isCurrent, isOpen, onCurrent, onOpen, onAcknowledge } = props;
  const { id, device, site, subject, rule, acknowledged, startedAt, endedAt, children, isGone = false } = alert;
  const mayOperate = useMay("operate", site);
  const look = useMetricLook(alert.metric);
  const [mark, word] = standingOf(alert);
  const aside = isGone ? "not any more" : asideOf(alert);
  const place = device ?? subject;
  return (
    <li
      className={classes.row}
      data-alert={id}
      data-current={isCurrent || undefined}
      data-ended={endedAt !== null || isGone || undefined}
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
      <span className={classes.what}>
        <Link href={`/alerts/${id}`}>
          <WhatWords what={what} />
        </Link>
        <small>{what.subject === rule.name ? "" : rule.name}</small>
      </span>
      <span className={classes.place}>
        {device === null ? null : <Link href={`/devices/${toSegment(device)}`}>{device}</Link>}
        {subject === null ? null : <span>{subject}</span>}
        {site === null ? null : <span>{site}</span>}
        {children === 0 ? null : (
          <Button size="compact-xs" variant="default" aria-expanded={isOpen} onClick={onOpen}>
            {formatTotal(children)} beneath
          </Button>
        )}
      </span>
      <span className={classes.trend}>
        {trend === undefined || alert.metric === null ? null : (
          <Sparkline
            values={trend}
            range={rangeOf([...trend, ...limits])}
            color={metricColor(alert.metric, look.color)}
            label={`${alert.metric} of the last hour`}
            {...(limits.length === 1 ? { limit: limits[0]! } : {})}
          />
        )}
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
      <Told told={alert.told} untold={isGone ? null : untoldWords(alert)} />
      <span className={classes.act}>
        {acknowledged === null ? null : (
          <span className={classes.by}>
            <span title={acknowledged.by}>{acknowledged.by}</span>
            <small>
              {acknowledged.note ?? (acknowledged.until === null ? "acknowledged" : "acknowledged until ")}
              {acknowledged.note === null && acknowledged.until !== null ? <Since time={acknowledged.until} /> : null}
            </small>
          </span>
        )}
        {mayOperate && endedAt === null && acknowledged === null && !isGone ? (
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

const TOLD = {
  told: { mark: "ok", words: "was told" },
  waiting: { mark: "unknown", words: "will be told: the message waits" },
  failed: { mark: "failing", words: "was not told: the message failed" },
} as const;
const MOST_TOLD = 2;

/** Which channels have been told, and which not yet, and why nobody would be now. What went wrong stands first. */
function Told({ told, untold }: { told: StillAlert["told"]; untold: ReturnType<typeof untoldWords> }) {
  const order = ["failed", "waiting", "told"];
  const sorted = told.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return (
    <span className={classes.told}>
      {untold === null ? null : (
        <small title={untold.title}>
          <MarkShape mark="unknown" />
          <span>{untold.word}</span>
        </small>
      )}
      {sorted.slice(0, MOST_TOLD).map(({ channel, state }) => (
        <small key={channel} title={`${channel} ${TOLD[state].words}`}>
          <MarkShape mark={TOLD[state].mark} />
          <Spoken>{TOLD[state].words}</Spoken>
          <span>{channel}</span>
        </small>
      ))}
      {sorted.length > MOST_TOLD ? <small>and {sorted.length - MOST_TOLD} more</small> : null}
    </span>
  );
}

/** What an alert is about, its unit muted. */
export function WhatWords({ what: { subject, value, unit, isWorst, now, limit } }: { what: What }) {
  return (
    <>
      {subject}
      {value === null ? null : (
        <>
          {" "}
          {isWorst ? <small>worst </small> : null}
          <b>{value}</b>
          {unit ? <small> {unit}</small> : null}
          {now === null ? null : <small>, now {now}</small>}
          {limit ? "," : ""}
        </>
      )}
      {limit ? <span className={classes.limit}> {limit}</span> : null}
    </>
  );
}
