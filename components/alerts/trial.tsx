"use client";
import { Button, Progress, SegmentedControl } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Backtest, BacktestJob } from "@/server/contracts/backtests";
import type { RuleMatches } from "@/server/contracts/rules";
import { counted } from "@/server/domain/counted";
import type { RuleSpec } from "@/server/domain/alerts/rule";
import { warningsOf } from "@/server/domain/alerts/warnings";
import { useMayEverywhere } from "../queries/access";
import { backtestJobQuery, backtestQuery, startBacktest, stopBacktest } from "../queries/backtests";
import { saidOf } from "../queries/request";
import { formatDuration, formatShare } from "../ui/format";
import { serverNow } from "../ui/server-time";
import type { Draft } from "./draft";
import { TrialChart } from "./trial-chart";
import classes from "./trial.module.css";

const DAY = 86_400_000;
/** While a limit is dragged, history is asked so often at most. */
const DRAG_MS = 80;

interface TrialProps {
  /** Null: it isn't complete. */
  readonly spec: RuleSpec | null;
  readonly name: string;
  readonly draft: Draft;
  readonly change: (changes: Partial<Draft>) => void;
  readonly matches: RuleMatches | undefined;
  /** The device that was asked for; null: none. */
  readonly triedOn: string | null;
}

/** What a rule would have done by what is stored: on one device at once, on all when asked for. */
export function Trial({ spec, name, draft, change, matches, triedOn }: TrialProps) {
  const [days, setDays] = useState("7");
  const [now] = useState(serverNow);
  const [chosen, setChosen] = useState(triedOn);
  const range = { from: now - Number(days) * DAY, to: now };
  const isTriable = draft.kind === "condition" || draft.kind === "silence";
  const device =
    chosen ??
    (draft.devices.length === 1 && !draft.devices[0]!.includes("*")
      ? draft.devices[0]!
      : (matches?.sample?.device ?? null));
  const [text] = useDebouncedValue(spec === null || !isTriable ? null : JSON.stringify(spec), DRAG_MS);
  const asked = text === null ? null : (JSON.parse(text) as RuleSpec);
  const { data, error } = useQuery(backtestQuery(asked, device, range));
  const first = draft.conditions[0]!.metric;
  const metric =
    first !== "" && !first.includes("*")
      ? first
      : ((device === matches?.sample?.device ? matches.sample.metric : data?.items[0]?.metric) ?? null);
  if (!isTriable) return <small>A rule of this kind can’t be tried on history.</small>;
  return (
    <section className={classes.trial} aria-label="What it would have done">
      <header>
        <h3>{device === null ? "The last days" : metric === null ? `On ${device}` : `${metric} on ${device}`}</h3>
        <SegmentedControl
          size="xs"
          aria-label="How far back"
          data={[
            { value: "7", label: "7 d" },
            { value: "30", label: "30 d" },
          ]}
          value={days}
          onChange={setDays}
        />
      </header>
      {device === null ? null : (
        <TrialChart
          device={device}
          metric={metric}
          range={range}
          draft={draft}
          change={change}
          items={spec === null ? [] : (data?.items ?? [])}
        />
      )}
      {error ? <p role="alert">{saidOf(error)}</p> : null}
      <p role="status" className={classes.told}>
        {spec !== null && data ? saidOfOne(data, days) : " "}
      </p>
      {matches ? <Warnings said={warningsOf(matches, draft.lasting)} /> : null}
      <OnAll spec={spec} name={name} range={range} onChoose={setChosen} />
    </section>
  );
}

function saidOfOne(
  { selected, episodes, longestMs, share, messages, untold, unknownHours, items }: Backtest,
  days: string,
): string {
  if (!selected) return "The rule isn’t for this device.";
  const unknown =
    unknownHours > 0 ? ` ${counted(unknownHours, "hour")} can’t be told: their readings aren’t kept.` : "";
  if (episodes === 0) return `It would never have fired.${unknown}`;
  const drawn = items.length < episodes ? ` The first ${items.length} are shaded.` : "";
  const open = items.some(({ endedAt }) => endedAt === null) ? " It would fire now." : "";
  return `It would have fired ${counted(episodes, "time")}, longest for ${formatDuration(longestMs)}, ${formatShare(share)} of the ${days} days; ${toldBy(messages, untold, episodes)}.${open}${drawn}${unknown}`;
}

function toldBy(messages: number | null, untold: number, episodes: number): string {
  if (messages === null) return "messages not counted";
  if (messages === 0 && untold >= episodes) return "nobody is told, as no route takes it";
  return counted(messages, "message");
}

function Warnings({ said }: { said: readonly string[] }) {
  if (said.length === 0) return null;
  return (
    <ul className={classes.warnings}>
      {said.map((one) => (
        <li key={one}>{one}</li>
      ))}
    </ul>
  );
}

interface OnAllProps {
  readonly spec: RuleSpec | null;
  readonly name: string;
  readonly range: { readonly from: number; readonly to: number };
  readonly onChoose: (device: string) => void;
}

/** The rule on all its devices: a job with its progress, and what it has found. */
function OnAll({ spec, name, range, onChoose }: OnAllProps) {
  const queries = useQueryClient();
  const mayEdit = useMayEverywhere("edit");
  const [run, setRun] = useState<{ id: string; of: string } | null>(null);
  const { data: job } = useQuery(backtestJobQuery(run?.id ?? null));
  const of = JSON.stringify([spec, range]);
  const start = useMutation({
    mutationFn: () => startBacktest(spec!, name.trim(), range),
    onSuccess: (made) => {
      queries.setQueryData(backtestJobQuery(made.id).queryKey, made);
      setRun({ id: made.id, of });
    },
  });
  const stop = useMutation({
    mutationFn: () => stopBacktest(run!.id),
    onSuccess: (ended) => queries.setQueryData(backtestJobQuery(ended.id).queryKey, ended),
  });
  const isGoing = job?.status === "waiting" || job?.status === "running";
  const isOld = run !== null && run.of !== of;
  return (
    <div className={classes.all}>
      <div className={classes.line}>
        {isGoing ? (
          <>
            <Progress
              className={classes.bar ?? ""}
              value={job.total === 0 ? 0 : (100 * job.done) / job.total}
              aria-label={`${job.done} of ${counted(job.total, "device")} looked at`}
            />
            <small>
              {job.done} of {job.total}
            </small>
            <Button size="compact-sm" variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
              Stop
            </Button>
          </>
        ) : mayEdit ? (
          <Button
            size="compact-sm"
            variant="default"
            disabled={spec === null}
            loading={start.isPending}
            onClick={() => start.mutate()}
          >
            Try on all devices
          </Button>
        ) : null}
      </div>
      {start.error ? <p role="alert">{saidOf(start.error)}</p> : null}
      {job ? <Found job={job} isOld={isOld} onChoose={onChoose} /> : null}
    </div>
  );
}

function Found({ job, isOld, onChoose }: { job: BacktestJob; isOld: boolean; onChoose: (device: string) => void }) {
  const { status, episodes, firingDevices, devices, longestMs, messages, untold, firingNow, items, error } = job;
  const so = status === "done" ? "" : status === "stopped" ? "Stopped. So far: " : "So far: ";
  const told = status === "done" ? `; ${toldBy(messages, untold, episodes)}` : "";
  return (
    <>
      <p role="status" className={classes.told} data-old={isOld || undefined}>
        {error !== null
          ? `It failed: ${error}`
          : episodes === 0
            ? status === "done" || devices > 0
              ? `${so || "It would "}never ${so ? "fired" : "have fired"} on ${counted(devices, "device")}.`
              : `${so}no device of the rule was looked at.`
            : `${so || "It would have fired "}${so ? "fired " : ""}${counted(episodes, "time")} on ${firingDevices} of ${counted(devices, "device")}, longest ${formatDuration(longestMs)}${told}.`}
        {firingNow > 0 ? ` It would fire now on ${firingNow}.` : ""}
        {isOld ? " The rule has changed since." : ""}
      </p>
      {items.length > 0 ? (
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Device</th>
                <th scope="col">Times</th>
                <th scope="col">Firing</th>
                <th scope="col">Longest</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ device, site, episodes: times, firingMs, longestMs: longest }) => (
                <tr key={device}>
                  <th scope="row">
                    <button type="button" className={classes.device} onClick={() => onChoose(device)}>
                      {device}
                    </button>
                    {site ? <small> {site}</small> : null}
                  </th>
                  <td>{times}</td>
                  <td>{formatDuration(firingMs)}</td>
                  <td>{formatDuration(longest)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </>
  );
}
