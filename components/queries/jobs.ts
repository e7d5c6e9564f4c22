import { queryOptions } from "@tanstack/react-query";
import type { Job, JobRun, JobRunsAnswer, JobsAnswer } from "@/server/contracts/jobs";
import { postJson, readJson } from "./request";

const ROOT = "/api/v1/jobs";
const addressOf = (name: string) => `${ROOT}/${encodeURIComponent(name)}`;

/** The first part of the keys of all that a job's run changes. */
export const JOBS = "jobs";

/** Every job; followed closely while one is at work. */
export const jobsQuery = () =>
  queryOptions({
    queryKey: [JOBS, "list"],
    queryFn: ({ signal }) => readJson<JobsAnswer>(ROOT, signal),
    refetchInterval: ({ state }) => (state.data?.items.some(({ unfinished }) => unfinished > 0) ? 1000 : 3000),
  });

/** A job's latest runs. */
export const jobRunsQuery = (name: string) =>
  queryOptions({
    queryKey: [JOBS, "runs", name],
    queryFn: ({ signal }) => readJson<JobRunsAnswer>(`${addressOf(name)}/runs?limit=20`, signal),
    refetchInterval: 3000,
  });

/** @throws RequestError: 409 while it runs. */
export function changeJob(name: string, action: "run" | "pause" | "resume"): Promise<Job> {
  return postJson(`${addressOf(name)}/${action}`, {});
}

/** @throws RequestError */
export function stopJobRun(name: string, id: string): Promise<JobRun> {
  return postJson(`${addressOf(name)}/runs/${encodeURIComponent(id)}/stop`, {});
}
