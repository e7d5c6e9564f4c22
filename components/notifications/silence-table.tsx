"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SilenceView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { silencePreviewQuery } from "../queries/notifications";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { Empty } from "../ui/feedback";
import { formatInstant, formatMoment, formatTotal } from "../ui/format";
import { None } from "../ui/list-table";
import { Section } from "../ui/section";
import { Spoken } from "../ui/spoken";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./notifications.module.css";
import { coveredWords, leftWords } from "./words";

interface SilenceTableProps {
  silences: readonly SilenceView[];
  maySilence: boolean;
  onMake: () => void;
  onExtend: (silence: SilenceView) => void;
  onEnd: (silence: SilenceView) => void;
}

/** Silences: what each hides now and would have hidden, until when, by whom and why. */
export function SilenceTable({ silences, maySilence, onMake, onExtend, onEnd }: SilenceTableProps) {
  const [showsEnded, setShowsEnded] = useState(false);
  const ended = silences.filter(({ state }) => state === "ended");
  const shown = showsEnded ? silences : silences.filter(({ state }) => state !== "ended");
  const make = maySilence ? (
    <Button size="compact-sm" onClick={onMake}>
      Silence…
    </Button>
  ) : null;
  return (
    <Section
      title="Silences"
      aside={
        <span className={classes.rowActions}>
          {ended.length > 0 ? (
            <Button
              size="compact-sm"
              variant="default"
              aria-pressed={showsEnded}
              onClick={() => setShowsEnded((was) => !was)}
            >
              {showsEnded ? "Hide" : "Show"} {ended.length} ended
            </Button>
          ) : null}
          {shown.length === 0 ? null : make}
        </span>
      }
    >
      {shown.length === 0 ? (
        <Empty action={make}>
          No alert is silenced. A silence keeps some from being told until a time; they are still decided and shown.
        </Empty>
      ) : (
        <table className={classes.table} aria-label="Silences">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Ends</th>
              <th scope="col" className={classes.number}>
                Hides now
              </th>
              <th scope="col" className={classes.fromWide}>
                Last week
              </th>
              <th scope="col">Why</th>
              <th scope="col" className={classes.actions}>
                <Spoken>Actions</Spoken>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((silence) => (
              <Row
                key={silence.id}
                silence={silence}
                maySilence={maySilence}
                onExtend={() => onExtend(silence)}
                onEnd={() => onEnd(silence)}
              />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

interface RowProps {
  silence: SilenceView;
  maySilence: boolean;
  onExtend: () => void;
  onEnd: () => void;
}

function Row({ silence, maySilence, onExtend, onEnd }: RowProps) {
  const { id, matchers, words, reason, state, startsAt, endsAt, untilResolved, by, hides } = silence;
  const { zone } = useZone();
  const isOpen = state !== "ended";
  return (
    <tr data-silence={id} data-off={!isOpen || undefined}>
      <th scope="row" title={words}>
        {coveredWords(matchers)}
      </th>
      <td className={classes.state}>
        {state === "ended" ? (
          <>
            ended <Age time={endsAt} />
          </>
        ) : (
          <>
            {state === "pending" ? <StateMark mark="unknown" word="Begins" /> : null}
            {state === "pending" ? ` ${formatMoment(Date.parse(startsAt), zone)}, ` : null}
            <time dateTime={endsAt} title={formatInstant(Date.parse(endsAt), zone)}>
              {state === "active" ? <Left until={endsAt} /> : `ends ${formatMoment(Date.parse(endsAt), zone)}`}
            </time>
            {untilResolved ? <small className={classes.below}>or once nothing it covers is open</small> : null}
          </>
        )}
      </td>
      <td className={classes.number} data-label="Hides now">
        {state === "active" ? formatTotal(hides) : <None />}
      </td>
      <td className={classes.fromWide}>{maySilence && isOpen ? <Week silence={silence} /> : <None />}</td>
      <td className={classes.reason}>
        {reason} <small>by {by}</small>
      </td>
      <td className={classes.actions}>
        {maySilence && isOpen ? (
          <>
            <Button
              size="compact-xs"
              variant="default"
              onClick={onExtend}
              aria-label={`Extend: ${coveredWords(matchers)}`}
            >
              Extend…
            </Button>{" "}
            <Button size="compact-xs" variant="default" onClick={onEnd} aria-label={`End: ${coveredWords(matchers)}`}>
              End…
            </Button>
          </>
        ) : null}
      </td>
    </tr>
  );
}

function Left({ until }: { until: string }) {
  return useClock((now) => `in ${leftWords(Math.max(0, Date.parse(until) - now))}`) ?? "";
}

/** What it would have hidden in the last seven days. */
function Week({ silence: { matchers } }: { silence: SilenceView }) {
  const { data } = useQuery(silencePreviewQuery(matchers));
  if (!data) return <None />;
  return <>{weekWords(data.week)}</>;
}

/** "3 alerts, 4 messages". */
export function weekWords({ alerts, messages, isMore }: { alerts: number; messages: number; isMore: boolean }): string {
  if (alerts === 0) return "no alert";
  return `${isMore ? "more than " : ""}${counted(alerts, "alert")}, ${counted(messages, "message")}`;
}
