"use client";
import { useQuery } from "@tanstack/react-query";
import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import { applyToHealth } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { healthQuery } from "../queries/health";
import { adviceOn } from "../queries/request";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Copyable, Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { formatDuration } from "../ui/format";
import { Duration } from "../ui/quantity";
import { Section } from "../ui/section";
import { ProbeMark } from "../ui/state-mark";
import { byGroup, worst } from "./groups";
import classes from "./health.module.css";

/** Every probe with what it found, and for those that don't pass why and what to do. */
export function Health() {
  const live = useLive();
  const query = healthQuery(live);
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom("health", query.queryKey, applyToHealth);

  if (!data) {
    return (
      <Page title="Health">
        {error ? (
          <Failure
            what="Health could not be loaded"
            why={error.message}
            advice={adviceOn(error)}
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        ) : (
          <Loading rows={6} height={36} label="Loading health" />
        )}
      </Page>
    );
  }
  return (
    <Page title="Health">
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>
          These results are from <Age time={data.time} />: {error.message}
        </StaleNotice>
      ) : null}
      <Engines health={data} />
      {data.probes.length === 0 ? (
        <Empty>No probe has run yet; the first results come within seconds.</Empty>
      ) : (
        byGroup(data.probes).map(([group, probes]) => (
          <Section key={group} title={group} aside={<ProbeMark status={worst(probes)} />}>
            <ul className={classes.probes}>
              {probes.map((probe) => (
                <Probe key={probe.name} probe={probe} />
              ))}
            </ul>
          </Section>
        ))
      )}
    </Page>
  );
}

function Engines({ health }: { health: HealthAnswer }) {
  const { eventLog, documents, database } = health.engines;
  const entries = [
    ["Event log", eventLog],
    ["Messages, twins, dead letters", documents],
    ["Readings, rollups", database],
    ["Version", health.version],
  ] as const;
  return (
    <dl className={classes.engines}>
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Probe({ probe }: { probe: ProbeResult }) {
  const { name, title, status, since, checkedAt, latencyMs, summary, cause, fix } = probe;
  return (
    <li className={classes.probe} data-probe={name} data-status={status}>
      <span className={classes.state}>
        <ProbeMark status={status} />
      </span>
      <div className={classes.found}>
        <h3>{title}</h3>
        <p>{summary}</p>
        {cause ? <p className={classes.cause}>{cause}</p> : null}
        {fix ? (
          <div className={classes.fix}>
            <span>Fix</span>
            <Copyable text={fix} label={`Copy the fix for ${title}`} />
          </div>
        ) : null}
      </div>
      <span className={classes.time}>
        <small>changed</small> <Age time={since} />
      </span>
      <span className={classes.time}>
        <small>{checkedAt ? "checked" : ""}</small> {checkedAt ? <Age time={checkedAt} /> : "not checked yet"}
      </span>
      <span className={classes.latency}>
        {latencyMs === null ? null : <Duration text={formatDuration(latencyMs)} />}
      </span>
    </li>
  );
}
