"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Alert, AlertWithEvents } from "@/server/contracts/alerts";
import { readable } from "@/server/domain/readable";
import { toSegment } from "@/server/domain/segment";
import { useMay } from "../queries/access";
import { alertQuery, ALERTS, unacknowledgeAlert } from "../queries/alerts";
import { exploreAddress } from "../queries/explore";
import { RequestError } from "../queries/request";
import { whyOfAlert } from "../queries/why";
import { AlertPages } from "../shell/alert-pages";
import { useKeyHints } from "../shell/keyboard";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { Empty, StaleNotice } from "../ui/feedback";
import { formatTotal } from "../ui/format";
import { isKeyTaken } from "../ui/key-target";
import type { KeyHint } from "../ui/keyboard-help";
import { Link } from "../ui/link";
import { stretchAddress } from "../ui/ranges";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import { useKeys } from "../ui/use-keys";
import { Acknowledge } from "./acknowledge";
import { AlertChart } from "./alert-chart";
import classes from "./alert.module.css";
import { Messages } from "./messages";
import { Moment } from "./moment";
import { Alike, Earlier } from "./others";
import { WhatWords } from "./row";
import { Runbook } from "./runbook";
import { Timeline } from "./timeline";
import { Times } from "./times";
import { useSpecs } from "./use-specs";
import { asideOf, silenceAddress, standingOf, whatOf, whatText } from "./words";

const KEYS: readonly KeyHint[] = [
  { keys: ["a"], does: "Acknowledge it" },
  { keys: ["s"], does: "Silence it" },
];

/** One alert: what it is about, when what happened, who was told. */
export function AlertView({ id }: { id: string }) {
  const { data, error, refetch, isFetching } = useQuery(alertQuery(id));
  if (!data) {
    const isGone = error instanceof RequestError && error.status === 404;
    return (
      <Page title="Alert">
        <AlertPages />
        {isGone ? <Empty action={<Link href="/alerts">Go to the inbox</Link>}>There is no such alert.</Empty> : null}
        {isGone ? null : (
          <NotYet
            what="the alert"
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={8}
            height={40}
          />
        )}
      </Page>
    );
  }
  return <Shown alert={data} trouble={error?.message ?? null} onReload={() => void refetch()} />;
}

function Shown({ alert, trouble, onReload }: { alert: AlertWithEvents; trouble: string | null; onReload: () => void }) {
  const { id, device, site, subject, rule, metric, acknowledged, endedAt } = alert;
  const spec = useSpecs()(rule.id);
  const what = whatOf(alert, spec);
  const why = whyOfAlert(alert);
  const queries = useQueryClient();
  const mayOperate = useMay("operate", site);
  const router = useRouter();
  const [isAsked, setAsked] = useState(false);
  const takeBack = useMutation({
    mutationFn: () => unacknowledgeAlert(id),
    onSettled: () => queries.invalidateQueries({ queryKey: [ALERTS] }),
  });
  useKeyHints("Alert", KEYS);
  useKeys((event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isKeyTaken(event)) return;
    if ((event.key !== "a" && event.key !== "s") || !mayOperate || endedAt !== null) return;
    event.preventDefault();
    if (event.key === "a") setAsked(true);
    else router.push(silenceAddress(alert));
  });
  const [mark, word] = standingOf(alert);
  const aside = asideOf(alert);
  return (
    <Page title={rule.name} tab={`Alert: ${rule.name}`}>
      <AlertPages />
      {trouble === null ? null : <StaleNotice onRetry={onReload}>This may be out of date: {trouble}</StaleNotice>}
      <div className={classes.head}>
        <div>
          <p className={classes.what}>
            <WhatWords what={what} />
          </p>
          <p className={classes.where}>
            <StateMark mark={mark} word={word} />
            {aside ? <span>{aside}</span> : null}
            {device === null ? null : <Link href={`/devices/${toSegment(device)}`}>{device}</Link>}
            {subject === null ? null : <span>{subject}</span>}
            {site === null ? null : <Link href={`/alerts?site=${encodeURIComponent(site)}`}>{site}</Link>}
            {alert.children === 0 ? null : (
              <Link href={`/alerts?parent=${id}`}>{formatTotal(alert.children)} beneath it</Link>
            )}
            {alert.parent === null ? null : <Link href={`/alerts/${alert.parent}`}>part of the site’s alert</Link>}
          </p>
          {alert.sentence === null ? null : (
            <p className={classes.muted}>
              {alert.sentence} {why === null ? null : <Link href={why}>Why?</Link>}
            </p>
          )}
          {alert.runbook === null ? null : (
            <p className={classes.runbook}>
              <b>What to do</b> <Runbook text={alert.runbook} />
            </p>
          )}
        </div>
        <div className={classes.acknowledged}>
          {acknowledged === null || endedAt !== null ? null : (
            <p>
              <StateMark mark="acknowledged" word={acknowledged.by} /> <Age time={acknowledged.at} />
              {acknowledged.until === null ? null : (
                <>
                  {" until "}
                  <Moment time={acknowledged.until} />
                </>
              )}
              {acknowledged.note === null ? null : <q>{acknowledged.note}</q>}
            </p>
          )}
          {mayOperate && endedAt === null ? (
            <div className={classes.buttons}>
              <Button size="sm" variant={acknowledged ? "default" : "filled"} onClick={() => setAsked(true)}>
                {acknowledged ? "Change note…" : "Acknowledge…"}
              </Button>
              <Button size="sm" variant="default" component={Link} href={silenceAddress(alert)}>
                Silence…
              </Button>
              {acknowledged ? (
                <Button size="sm" variant="default" loading={takeBack.isPending} onClick={() => takeBack.mutate()}>
                  Take back
                </Button>
              ) : null}
            </div>
          ) : null}
          {takeBack.error ? <p role="alert">{takeBack.error.message}</p> : null}
        </div>
      </div>
      <Times alert={alert} />
      {device !== null && metric !== null ? (
        <Section title={metric} aside={<Compared alert={alert} metric={metric} />}>
          <AlertChart alert={alert} device={device} metric={metric} spec={spec} />
        </Section>
      ) : null}
      <div className={classes.parts}>
        <Section title="What happened">
          <Timeline alert={alert} />
        </Section>
        <Section title="Messages">
          <Messages id={id} />
        </Section>
      </div>
      <div className={classes.parts}>
        {device === null ? null : <Earlier alert={alert} device={device} />}
        <Alike alert={alert} />
      </div>
      {isAsked ? <Acknowledge alert={alert} words={whatText(what)} onClose={() => setAsked(false)} /> : null}
    </Page>
  );
}

/** Leads to the metric of an alert, in its time, at all devices of its site; or of every site. */
function Compared({ alert: { site, startedAt, endedAt }, metric }: { alert: Alert; metric: string }) {
  const now = useNow(60_000);
  const [start, end] = [Date.parse(startedAt), endedAt === null ? now : Date.parse(endedAt)];
  const around = Math.max(30 * 60_000, (end - start) / 2);
  const time = stretchAddress({ from: start - around, to: Math.max(start, end) + (endedAt === null ? 0 : around) });
  return (
    <Link href={exploreAddress({ metric, ...(site === null ? {} : { site }), ...time })}>
      {site === null ? "Compare with other devices" : `Compare with others at ${readable(site)}`}
    </Link>
  );
}
