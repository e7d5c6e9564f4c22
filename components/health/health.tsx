"use client";
import { useQuery } from "@tanstack/react-query";
import { applyToHealth } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { healthQuery } from "../queries/health";
import { adviceOn } from "../queries/request";
import { OfAllSites } from "../shell/of-all-sites";
import { MayNot } from "../shell/may-not";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { Section } from "../ui/section";
import { ProbeMark } from "../ui/state-mark";
import { Checklist } from "./checklist";
import { Engines } from "./engines";
import { byGroup, isExplained, worst } from "./groups";
import classes from "./health.module.css";
import { JobRuns } from "./jobs";
import { Probe } from "./probe";
import { SetupAttempts } from "./setup";

/** The group of the probe that says whether jobs run. */
const JOBS = "Jobs";

/** The way to a first reading, the engines, every probe with what it found, and how each start went. */
export function Health() {
  return (
    <OfAllSites title="Health" what="Seeing health">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const live = useLive();
  const query = healthQuery(live);
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom("health", query.queryKey, applyToHealth);

  if (!data) {
    return (
      <Page title="Health">
        {error ? (
          <>
            <Failure
              what="Health could not be loaded"
              why={error.message}
              advice={adviceOn(error)}
              onRetry={() => void refetch()}
              retrying={isFetching}
            />
            <Checklist health={null} />
          </>
        ) : (
          <Loading rows={12} height={36} label="Loading health" />
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
      <Checklist health={error ? null : data} />
      {data.leftOut ? (
        <MayNot
          what={`Seeing ${data.leftOut.what.join(", ")} (… in the texts below)`}
          permission={data.leftOut.permission}
          atAllSites
        />
      ) : null}
      <Engines health={data} />
      {data.probes.length === 0 ? (
        <Empty>No probe has run yet; the first results come within seconds.</Empty>
      ) : (
        byGroup(data.probes).map(([group, probes]) => (
          <Section key={group} title={group} aside={<ProbeMark status={worst(probes)} />}>
            <ul className={classes.probes}>
              {probes.map((probe) => (
                <Probe key={probe.name} probe={probe} isExplained={isExplained(probe, probes)} />
              ))}
            </ul>
            {group === JOBS && data.jobs ? (
              <JobRuns jobs={data.jobs} told={probes.find(({ name }) => name === "jobs.run")?.cause ?? null} />
            ) : null}
          </Section>
        ))
      )}
      <SetupAttempts />
    </Page>
  );
}
