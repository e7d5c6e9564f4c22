import { jobRunsAnswer, jobRunsQuery, jobsAnswer } from "@/server/contracts/jobs";
import { readJobs, readRuns } from "@/server/jobs/read";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";
import { jobPath, noSuchJob, toJob, toRun } from "./view";

export const listJobs = verb(
  {
    method: "GET",
    path: "/api/v1/jobs",
    access: "view",
    summary: "Every job: what it does, when it ran and will run, and what keeps it from that",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: jobsAnswer,
    status: 200,
    problems: [],
  },
  () =>
    async ({ tx, now }) => ({
      time: toInstant(now),
      items: (await readJobs(tx)).map((row) => toJob(row, now)),
    }),
);

export const listJobRuns = verb(
  {
    method: "GET",
    path: "/api/v1/jobs/{name}/runs",
    access: "view",
    summary: "A job's runs; of scheduled ones that found nothing to do, only the latest is kept",
    params: jobPath,
    query: jobRunsQuery,
    answer: jobRunsAnswer,
    status: 200,
    problems: ["not-found"],
  },
  () =>
    async ({ tx, sites }, { params: { name }, query: { limit } }) => {
      if ((await readJobs(tx, name)).length === 0) throw noSuchJob(name);
      return { items: (await readRuns(tx, name, sites, limit)).map(toRun) };
    },
);
