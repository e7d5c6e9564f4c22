"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SilenceView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { silencePreviewQuery } from "../queries/notifications";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { formatInstant, formatMoment, formatTotal } from "../ui/format";
import { None } from "../ui/list-table";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import { ActionTable, RowActions } from "./action-table";
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
    <ActionTable
      title="Silences"
      make={make}
      aside={
        ended.length > 0 ? (
          <Button
            size="compact-sm"
            variant="default"
            aria-pressed={showsEnded}
            onClick={() => setShowsEnded((was) => !was)}
          >
            {showsEnded ? "Hide" : "Show"} {ended.length} ended
          </Button>
        ) : null
      }
      empty="No alert is silenced. A silence keeps some from being told until a time; they are still decided and shown."
      columns={COLUMNS}
    >
      {shown.map((silence) => (
        <Row
          key={silence.id}
          silence={silence}
          maySilence={maySilence}
          onExtend={() => onExtend(silence)}
          onEnd={() => onEnd(silence)}
        />
      ))}
    </ActionTable>
  );
}

const COLUMNS = [
  { title: "What" },
  { title: "Ends" },
  { title: "Hides now", kind: "number" },
  { title: "Last week", kind: "fromWide" },
  { title: "Why" },
] as const;

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
      <RowActions
        actions={
          maySilence && isOpen
            ? [
                { does: "Extend", of: coveredWords(matchers), act: onExtend },
                { does: "End", of: coveredWords(matchers), act: onEnd },
              ]
            : []
        }
      />
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
