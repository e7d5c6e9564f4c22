"use client";
import { useQuery } from "@tanstack/react-query";
import { jobsQuery } from "../queries/jobs";
import { adviceOn } from "../queries/request";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { Age } from "../ui/age";
import { Copyable, Empty, Failure, Loading, StaleNotice } from "../ui/feedback";
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
        {error ? (
          <Failure
            what="The jobs could not be loaded"
            why={error.message}
            advice={adviceOn(error)}
            onRetry={() => void refetch()}
            retrying={isFetching}
          />
        ) : (
          <Loading rows={10} height={48} label="Loading the jobs" />
        )}
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
