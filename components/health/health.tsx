"use client";
import { useQuery } from "@tanstack/react-query";
import type { HealthAnswer, JobHealth, ProbeResult } from "@/server/contracts/health";
import { counted } from "@/server/domain/counted";
import { applyToHealth } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { healthQuery } from "../queries/health";
import { adviceOn } from "../queries/request";
import { OfAllSites } from "../shell/of-all-sites";
import { MayNot } from "../shell/may-not";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { useKept } from "../ui/kept";
import { Section } from "../ui/section";
import { ProbeMark } from "../ui/state-mark";
import { Checklist } from "./checklist";
import { Engines } from "./engines";
import { byGroup, isExplained, worst } from "./groups";
import classes from "./health.module.css";
import { JobRuns } from "./jobs";
import { Probe } from "./probe";
import { AboutVersion } from "./about";
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
        <>
          <Groups health={data} shown={data.probes.filter(needsALook)} jobs={data.jobs?.filter(isTroubled) ?? []} />
          <Folded health={data} />
        </>
      )}
      <SetupAttempts />
      <AboutVersion />
    </Page>
  );
}

/** The probes that pass and the jobs that are well: a line, and all of them when somebody wants to see them. */
function Folded({ health }: { health: HealthAnswer }) {
  const [kept, keep] = useKept("fieldwatch.health.passing");
  const passing = health.probes.filter((probe) => !needsALook(probe));
  const well = health.jobs?.filter((job) => !isTroubled(job)) ?? [];
  if (passing.length === 0 && well.length === 0) return null;
  const isAll = passing.length === health.probes.length;
  return (
    <details
      className={classes.folded}
      open={kept === "shown"}
      onToggle={({ currentTarget: { open } }) => keep(open ? "shown" : "folded")}
    >
      <summary>
        <ProbeMark status="pass" />
        <span>
          {isAll ? "All " : ""}
          {counted(passing.length, "probe passes", "probes pass")}
          {well.length > 0 ? `, ${counted(well.length, "job is well", "jobs are well")}` : ""}
        </span>
      </summary>
      {kept === "shown" ? <Groups health={health} shown={passing} jobs={well} /> : null}
    </details>
  );
}

interface GroupsProps {
  health: HealthAnswer;
  /** Those to show, of all that are known. */
  shown: readonly ProbeResult[];
  jobs: readonly JobHealth[];
}

function Groups({ health, shown, jobs }: GroupsProps) {
  const groups = byGroup(shown);
  if (jobs.length > 0 && !groups.some(([group]) => group === JOBS)) groups.push([JOBS, []]);
  return groups.map(([group, probes]) => {
    const all = health.probes.filter((probe) => probe.group === group);
    return (
      <Section key={group} title={group} aside={probes.length === 0 ? null : <ProbeMark status={worst(probes)} />}>
        <ul className={classes.probes}>
          {probes.map((probe) => (
            <Probe key={probe.name} probe={probe} isExplained={isExplained(probe, all)} />
          ))}
        </ul>
        {group === JOBS && jobs.length > 0 ? (
          <JobRuns jobs={jobs} told={probes.find(({ name }) => name === "jobs.run")?.cause ?? null} />
        ) : null}
      </Section>
    );
  });
}

function needsALook({ status }: ProbeResult): boolean {
  return status !== "pass";
}

function isTroubled({ cause }: JobHealth): boolean {
  return cause !== null;
}
