"use client";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { applyToHealth, applyToPipeline } from "../live/apply";
import { useLive, useRoom } from "../live/provider";
import { healthQuery } from "../queries/health";
import { pipelineQuery } from "../queries/pipeline";
import { adviceOn } from "../queries/request";
import { Page } from "../shell/page";
import { Copyable, Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import { Figures } from "./figures";
import classes from "./overview.module.css";
import { Partitions } from "./partitions";
import { Recent } from "./recent";
import { Throughput } from "./throughput";
import { Totals } from "./totals";
import { trend } from "./trend";

/** The pipeline at a glance: how fast, how far behind, how late, and what it has handled. */
export function Overview() {
  const live = useLive();
  const query = pipelineQuery(live);
  const { data, error, refetch, isFetching } = useQuery(query);
  useRoom("overview", query.queryKey, applyToPipeline);
  useRoom("overview", healthQuery(live).queryKey, applyToHealth);
  const points = useMemo(() => (data ? trend(data.history, Date.parse(data.time)) : []), [data]);

  if (!data) {
    return (
      <Page title="Overview">
        {error ? (
          <Failure
            what="The pipeline's state could not be loaded"
            why={error.message}
            advice={adviceOn(error)}
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        ) : (
          <Loading rows={3} height={96} label="Loading the overview" />
        )}
      </Page>
    );
  }
  return (
    <Page title="Overview">
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>
          These figures are from <Age time={data.time} />: {error.message}
        </StaleNotice>
      ) : null}
      <Figures pipeline={data} points={points} />
      {data.totals.messages === 0 && data.totals.deadLetters === 0 ? (
        <Empty action={<Copyable text={firstMessage()} label="Copy the command" />}>
          No message has come yet. Send one, and it is here within a second:
        </Empty>
      ) : (
        <Throughput pipeline={data} />
      )}
      <div className={classes.columns}>
        <Section title="Heard from last">
          <Recent />
        </Section>
        <Section title="Since the beginning">
          <Totals pipeline={data} />
        </Section>
        <Section title="Event log">
          <Partitions partitions={data.partitions} />
        </Section>
      </div>
    </Page>
  );
}

function firstMessage(): string {
  const body = `{"device":"press-07","time":"${new Date().toISOString()}","readings":{"temperature":21.3,"motion":false}}`;
  return `curl -X POST ${window.location.origin}/api/v1/telemetry -H 'content-type: application/json' -d '${body}'`;
}
