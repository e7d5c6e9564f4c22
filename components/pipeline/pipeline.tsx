"use client";
import { SegmentedControl } from "@mantine/core";
import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import type { PipelineAnswer } from "@/server/contracts/pipeline";
import type { StagesAnswer } from "@/server/contracts/stages";
import { NotYet } from "../shell/not-yet";
import { useAddress } from "../ui/url";
import { applyToHealth, applyToPipeline } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { HEALTH, useHealth } from "../queries/health";
import { pipelineQuery } from "../queries/pipeline";
import { adviceOn } from "../queries/request";
import { stagesQuery } from "../queries/stages";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Copyable, Empty, Failure, StaleNotice } from "../ui/feedback";
import { Section } from "../ui/section";
import { firstMessage } from "../ui/first-message";
import { Charts } from "./charts";
import { FlowDiagram } from "./flow";
import { LagOverTime } from "./lag";
import { Partitions } from "./partitions";
import classes from "./pipeline.module.css";
import { Refused } from "./refused";
import { TimeShares } from "./time-shares";
import { SkippedBatches, StoppedPartitions } from "./unreadable";

const RANGES = [
  { key: "15m", label: "15 min", minutes: 15 },
  { key: "1h", label: "1 h", minutes: 60 },
  { key: "24h", label: "24 h", minutes: 1440 },
] as const;

/** The way of the messages: how fast they come, where they wait, how long each stage takes, and what doesn't get through. */
export function Pipeline() {
  return (
    <OfAllSites title="Pipeline" what="Seeing the pipeline">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const query = pipelineQuery(useLive());
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom("overview", query.queryKey, applyToPipeline);
  useRoom("overview", HEALTH, applyToHealth, { reloadMs: null });
  const [address, change] = useAddress();
  const range = RANGES.find(({ key }) => key === address.get("range")) ?? RANGES[0];
  const stages = useQuery(stagesQuery(range.minutes));

  // Both come at about the same time: drawn together, nothing moves when the second is there.
  if (!data || stages.isPending) {
    return (
      <Page title="Pipeline">
        <NotYet
          what="the pipeline's state"
          error={data ? null : error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={3}
          height={176}
        />
      </Page>
    );
  }
  return (
    <Page title="Pipeline">
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>
          These figures are from <Age time={data.time} />: {error.message}
        </StaleNotice>
      ) : null}
      <Parts pipeline={data} stages={stages} range={range} asTable={address.get("view") === "table"} change={change} />
    </Page>
  );
}

interface PartsProps {
  pipeline: PipelineAnswer;
  stages: UseQueryResult<StagesAnswer>;
  range: (typeof RANGES)[number];
  asTable: boolean;
  change: (changes: Record<string, string | null>) => void;
}

function Parts({ pipeline, stages, range, asTable, change }: PartsProps) {
  const health = useHealth();
  const { totals } = pipeline;
  const isEmpty = totals.messages + totals.deadLetters + totals.rejected === 0 && stages.data?.buckets.length === 0;
  return (
    <>
      <StoppedPartitions partitions={pipeline.partitions} />
      <Section title="Flow">
        <FlowDiagram pipeline={pipeline} stages={stages.data} health={health.data} />
      </Section>
      {isEmpty ? (
        <Empty action={<Copyable text={firstMessage()} label="Copy the command" />}>
          No message has come yet. Send one, and its way shows here within seconds:
        </Empty>
      ) : stages.data ? (
        <TimeShares minute={stages.data.minute} rates={pipeline.rates} />
      ) : null}
      <Partitions pipeline={pipeline} />
      <SkippedBatches pipeline={pipeline} />
      <LagOverTime />
      {isEmpty ? null : (
        <>
          <div className={classes.tools}>
            <h2>Over time</h2>
            <SegmentedControl
              size="xs"
              aria-label="Range"
              value={range.key}
              onChange={(next) => change({ range: next === RANGES[0].key ? null : next })}
              data={RANGES.map(({ key, label }) => ({ value: key, label }))}
            />
            <SegmentedControl
              size="xs"
              aria-label="View"
              value={asTable ? "table" : "chart"}
              onChange={(next) => change({ view: next === "table" ? next : null })}
              data={[
                { value: "chart", label: "Chart" },
                { value: "table", label: "Table" },
              ]}
            />
          </div>
          {stages.error && stages.data ? (
            <StaleNotice onRetry={() => void stages.refetch()}>
              These charts are from <Age time={stages.data.time} />: {stages.error.message}
            </StaleNotice>
          ) : null}
          {stages.data ? (
            <div className={classes.history} data-stale={stages.isPlaceholderData || undefined}>
              <Charts stages={stages.data} asTable={asTable} />
              <Refused stages={stages.data} range={range.label} />
            </div>
          ) : (
            <Failure
              what="What the stages did could not be loaded"
              why={stages.error?.message ?? ""}
              advice={adviceOn(stages.error)}
              onRetry={() => void stages.refetch()}
              retrying={stages.isFetching}
            />
          )}
        </>
      )}
    </>
  );
}
