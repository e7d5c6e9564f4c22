"use client";
import { useQuery } from "@tanstack/react-query";
import { jobsQuery } from "../queries/jobs";
import { NotYet } from "../shell/not-yet";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Copyable, Empty, StaleNotice } from "../ui/feedback";
import { Job } from "./job";
import classes from "./jobs.module.css";

/** Lists the work done beside the stream: what ran, runs and will run, and what keeps it from running. */
export function Jobs() {
  return (
    <OfAllSites title="Jobs" what="Seeing jobs">
      <List />
    </OfAllSites>
  );
}

function List() {
  const { data, error, refetch, isFetching } = useQuery(jobsQuery());
  if (!data) {
    return (
      <Page title="Jobs">
        <NotYet
          what="the jobs"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={10}
          height={48}
        />
      </Page>
    );
  }
  return (
    <Page title="Jobs">
      {error ? (
        <StaleNotice onRetry={() => void refetch()}>
          This is from <Age time={data.time} />: {error.message}
        </StaleNotice>
      ) : null}
      {data.items.length === 0 ? (
        <Empty action={<Copyable text="npm run worker" />}>
          No worker has run on this database yet; its jobs show once one has.
        </Empty>
      ) : (
        <ul className={classes.jobs}>
          {data.items.map((job) => (
            <Job key={job.name} job={job} />
          ))}
        </ul>
      )}
    </Page>
  );
}
