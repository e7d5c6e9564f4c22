"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { applyToHealth, applyToPipeline } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { useSeesAll } from "../queries/access";
import { healthQuery } from "../queries/health";
import { pipelineQuery } from "../queries/pipeline";
import { adviceOn } from "../queries/request";
import { FiringLine } from "../shell/firing";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Failure, Loading, StaleNotice } from "../ui/feedback";
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
import { Throughput } from "./throughput";
import { trend } from "./trend";

/** Everything at a glance: whether it is well, how fast, how far behind, and what to look at. */
export function Overview() {
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
  const { pipeline, error, reload, isFetching } = useOverview();
  const points = useMemo(() => (pipeline ? trend(pipeline.history, Date.parse(pipeline.time)) : []), [pipeline]);
  const isEmpty = pipeline && pipeline.totals.messages === 0 && pipeline.totals.deadLetters === 0;
  return (
    <Page title="Overview" withVerdict={false}>
      <Hero />
      <FiringLine />
      {!pipeline && error ? (
        <Failure
          what="The pipeline's state could not be loaded"
          why={error.message}
          advice={adviceOn(error)}
          onRetry={reload}
          retrying={isFetching}
        />
      ) : null}
      {!pipeline && !error ? <Loading rows={3} height={120} label="Loading the overview" /> : null}
      {pipeline && error ? (
        <StaleNotice onRetry={reload}>
          These figures are from <Age time={pipeline.time} />: {error.message}
        </StaleNotice>
      ) : null}
      <DayBand />
      {pipeline ? <Figures pipeline={pipeline} points={points} /> : null}
      {isEmpty ? <FirstRun /> : null}
      <PinnedViews />
      {pipeline && !isEmpty ? (
        <div className={classes.areas}>
          <div className={classes.devices}>
            <States devices={pipeline.devices} />
          </div>
          <div className={classes.quality}>
            <Quality />
          </div>
          <div className={classes.strip}>
            <Strip />
          </div>
          <div className={classes.below}>
            <NewLetters />
            <Sites />
          </div>
          <div className={classes.chart}>
            <Throughput pipeline={pipeline} />
          </div>
        </div>
      ) : null}
    </Page>
  );
}

/** The pipeline's state and the verdict, live. */
export function useOverview() {
  const live = useLive();
  const query = pipelineQuery(live);
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom("overview", query.queryKey, applyToPipeline);
  useRoom("overview", healthQuery(live).queryKey, applyToHealth, { reloadMs: null });
  return { pipeline: data, error, reload: () => void refetch(), isFetching };
}
