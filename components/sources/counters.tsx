"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { SourceCounts, SourceView } from "@/server/contracts/sources";
import { readable } from "@/server/domain/readable";
import { Age } from "../ui/age";
import { formatCount, formatDuration, formatRate, formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { Duration, Quantity } from "../ui/quantity";
import { Section } from "../ui/section";
import { MarkShape } from "../ui/state-mark";
import { sourceQuery } from "../queries/sources";
import { ruleWords } from "./leaf-words";
import classes from "./sources.module.css";
import { refusedOf } from "./standing";
import { useRates } from "./use-rates";
import { reasonWords } from "./words";

interface CountersProps {
  source: SourceView;
  openDeadLetters: number;
  /** True for who may try its mapping. */
  mayTry: boolean;
}

/** What came of all that a source sent: at its door, and in the store. */
export function Counters({ source, openDeadLetters, mayTry }: CountersProps) {
  const { counts, name } = source;
  const { dataUpdatedAt } = useQuery(sourceQuery(name));
  const rate = useRates([source], dataUpdatedAt).get(name) ?? null;
  const refused = refusedOf(counts);
  return (
    <Section
      title="Since it was made"
      aside={rate === null ? null : <Quantity value={rate} unit="messages/s" format={formatRate} />}
    >
      <dl className={classes.counters}>
        <Figure name="Received" value={counts.received} unit={counts.received === 1 ? "delivery" : "deliveries"} />
        <Bytes value={counts.bytes} />
        <Figure name="Accepted" value={counts.accepted} unit={counts.accepted === 1 ? "message" : "messages"} />
        <Figure name="Ignored" value={counts.ignored} unit="by its rules" />
        <Figure name="Refused" value={refused} isBad={refused > 0} unit="" />
        <Figure name="Readings" value={counts.readings} unit="stored" />
        <Figure name="Repeats" value={counts.duplicates} unit="ignored" />
        <Figure name="Conflicts" value={counts.conflicts} unit="" />
        <div>
          <dt>Dead letters</dt>
          <dd>
            {counts.deadLetters === 0 ? (
              "0"
            ) : (
              <>
                <Link href={`/dead-letters?source=${name}`}>{formatCount(counts.deadLetters)}</Link>{" "}
                <small>{openWords(counts.deadLetters, openDeadLetters)}</small>
              </>
            )}
          </dd>
        </div>
        <div title="How far event times are behind the time messages came; ahead where it says so">
          <dt>Clock skew</dt>
          <dd>
            <Skew skew={counts.skew} />
          </dd>
        </div>
      </dl>
      <By title="Refused, by reason" counts={counts.refused} word={reasonWords} />
      <By title="Ignored, by rule" counts={counts.ignoredBy} word={ruleWords} />
      {counts.lastError ? <LastError error={counts.lastError} name={mayTry ? name : null} /> : null}
    </Section>
  );
}

/** How many of its dead letters are open; they are counted to 1,000. */
function openWords(all: number, open: number): string {
  if (open >= 1000) return "1,000 or more open";
  return open === all ? "open" : `${formatTotal(open)} open`;
}

interface FigureProps {
  name: string;
  value: number;
  unit: string;
  isBad?: boolean;
}

function Figure({ name, value, unit, isBad = false }: FigureProps) {
  return (
    <div data-bad={isBad || undefined}>
      <dt>{name}</dt>
      <dd>
        <Quantity value={value} format={formatCount} /> <small>{unit}</small>
      </dd>
    </div>
  );
}

function Bytes({ value }: { value: number }) {
  const [figure, prefix = ""] = formatCount(value).split(" ");
  return (
    <div title={`${formatTotal(value)} bytes`}>
      <dt>Size</dt>
      <dd>
        {figure} <small>{prefix}B</small>
      </dd>
    </div>
  );
}

function Skew({ skew }: { skew: SourceCounts["skew"] }): ReactNode {
  if (skew === null) return <small>not known yet</small>;
  return (
    <>
      <SkewFigure ms={skew.p50Ms} /> <small>p50, </small>
      <SkewFigure ms={skew.p99Ms} /> <small>p99</small>
    </>
  );
}

function SkewFigure({ ms }: { ms: number }) {
  return (
    <>
      <Duration text={formatDuration(Math.abs(ms))} />
      {ms < 0 ? <small> ahead</small> : null}
    </>
  );
}

function By({
  title,
  counts,
  word,
}: {
  title: string;
  counts: Record<string, number>;
  word: (name: string) => string;
}) {
  const items = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  if (items.length === 0) return null;
  return (
    <p className={classes.by}>
      <span>{title}:</span>{" "}
      {items.map(([name, count]) => (
        <span key={name}>
          {word(name)} <b>{formatCount(count)}</b>
        </span>
      ))}
    </p>
  );
}

function LastError({
  error: { at, reason, path, detail, sample },
  name,
}: {
  error: NonNullable<SourceCounts["lastError"]>;
  /** Null where its payload may not be tried. */
  name: string | null;
}) {
  return (
    <p className={classes.lastError}>
      <MarkShape mark="warning" />
      <span>
        Refused last <Age time={at} />: <b>{reasonWords(reason)}</b>
        {path === "" ? "" : ` at ${path}`}, {readable(detail).replace(/\.$/, "")}.{" "}
        {name === null || sample === null ? null : (
          <Link href={`/sources/${name}/mapping?sample=${sample}`}>See its payload</Link>
        )}
      </span>
    </p>
  );
}
