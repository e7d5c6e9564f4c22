"use client";
import { useQuery } from "@tanstack/react-query";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { applyToHealth, applyToPipeline } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { useSeesAll } from "../queries/access";
import { useFirst } from "../queries/first";
import { HEALTH } from "../queries/health";
import { PIPELINE, pipelineQuery } from "../queries/pipeline";
import { FiringLine } from "../shell/firing";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Loading, StaleNotice } from "../ui/feedback";
import { DayBand } from "./day-band";
import { Figures } from "./figures";
import { FirstRun } from "./first-run";
import { Hero } from "./hero";
import { NewLetters } from "./new-letters";
import classes from "./overview.module.css";
import { PinnedViews } from "./pinned";
import { Quality } from "./quality";
import { Sites } from "./sites";
import { States } from "./states";
import { Strip } from "./strip";

/**
 * Everything at a glance: whether it is well, how fast, how far behind, and what to look at.
 * @param first the pipeline's state that came with the page itself; null for none.
 */
export function Overview({ first }: { first: PipelineAnswer | null }) {
  useFirst([PIPELINE], first);
  const seesAll = useSeesAll();
  if (seesAll !== null) return seesAll ? <Whole /> : <OfSomeSites />;
  return (
    <Page title="Overview" withVerdict={false}>
      <Loading rows={3} height={120} label="Loading the overview" />
    </Page>
  );
}

/** What can be told of some sites alone: the pipeline and health are of all of them together. */
function OfSomeSites() {
  return (
    <Page title="Overview" withVerdict={false}>
      <FiringLine />
      <DayBand />
      <PinnedViews />
      <Strip />
      <NewLetters />
      <Sites />
    </Page>
  );
}

function Whole() {
  const query = useOverviewQuery();
  // Frames come several times a second: only what shows their figures is drawn again with each.
  const { data: isEmpty, error, refetch, isFetching } = useQuery({ ...query, select: nothingCame });
  const reload = () => void refetch();
  return (
    <Page title="Overview" withVerdict={false}>
      <Hero />
      <FiringLine />
      {isEmpty !== undefined && error ? (
        <StaleNotice onRetry={reload}>
          These figures are from <LoadedAge />: {error.message}
        </StaleNotice>
      ) : null}
      <DayBand />
      {isEmpty === undefined ? (
        <NotYet what="the overview" error={error} onRetry={reload} isRetrying={isFetching} rows={3} height={120} />
      ) : (
        <Figures />
      )}
      {isEmpty === true ? <FirstRun /> : null}
      <PinnedViews />
      {isEmpty === false ? (
        <div className={classes.areas}>
          <div className={classes.wide}>
            <Strip />
          </div>
          <div className={classes.stack}>
            <States />
            <Sites />
          </div>
          <div className={classes.stack}>
            <Quality />
            <NewLetters />
          </div>
        </div>
      ) : null}
    </Page>
  );
}

function nothingCame({ totals }: PipelineAnswer): boolean {
  return totals.messages === 0 && totals.deadLetters === 0;
}

function LoadedAge() {
  const { data } = useQuery(pipelineQuery(useLive()));
  return data ? <Age time={data.time} /> : null;
}

/** The pipeline's state, kept up to date with the verdict while the page is shown. */
function useOverviewQuery() {
  const query = pipelineQuery(useLive());
  useRoom("overview", query.queryKey, applyToPipeline);
  useRoom("overview", HEALTH, applyToHealth, { reloadMs: null });
  return query;
}

/** The pipeline's state and the verdict, live. */
export function useOverview() {
  const { data, error, refetch, isFetching } = useQuery(useOverviewQuery());
  return { pipeline: data, error, reload: () => void refetch(), isFetching };
}
