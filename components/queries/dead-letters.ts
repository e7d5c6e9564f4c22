import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  DeadLetterFilter,
  DeadLetterGroupsAnswer,
  DeadLetterJob,
  DeadLetterJobAnswer,
  DeadLetterJobBody,
  DeadLetterJobsAnswer,
  DeadLettersAnswer,
  DeadLetterStatus,
  DeadLetterView,
  ResendAnswer,
  ResendBody,
} from "@/server/contracts/dead-letters";
import { postJson, readJson } from "./request";

const ROOT = "/api/v1/dead-letters";
const MOST_GROUPS = 500;
const addressOf = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

/** The first part of the keys of every query that changes when a dead letter does. */
export const DEAD_LETTERS = "dead letters";

/** Groups of dead letters, with how many have each status. */
export const groupsQuery = (status: DeadLetterStatus | "all", filter: DeadLetterFilter) =>
  queryOptions({
    queryKey: [DEAD_LETTERS, "groups", status, filter],
    queryFn: ({ signal }) =>
      readJson<DeadLetterGroupsAnswer>(`${ROOT}/groups${search({ status, ...filter, limit: MOST_GROUPS })}`, signal),
    placeholderData: keepPreviousData,
    refetchInterval: 3000,
  });

/** A page of dead letters, newest first; the newest ones are looked for again and again. */
export const lettersQuery = (
  status: DeadLetterStatus | "all",
  filter: DeadLetterFilter,
  limit: number,
  cursor: string | null,
) =>
  queryOptions({
    queryKey: [DEAD_LETTERS, "list", status, filter, limit, cursor],
    queryFn: ({ signal }) =>
      readJson<DeadLettersAnswer>(
        `${ROOT}${search({ status, ...filter, limit, cursor: cursor ?? undefined })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: cursor === null ? 3000 : false,
  });

/** One dead letter; followed closely while it is being handled again. */
export const letterQuery = (id: string) =>
  queryOptions({
    queryKey: [DEAD_LETTERS, "one", id],
    queryFn: ({ signal }) => readJson<DeadLetterView>(addressOf(id), signal),
    refetchInterval: ({ state }) => (state.data?.status === "resending" ? 1000 : 5000),
  });

/** The outcome of resending it now, with `message` instead of its own bytes unless that is null. */
export const previewQuery = (id: string, message: string | null) =>
  queryOptions({
    queryKey: ["resend preview", id, message],
    queryFn: async () => (await resendLetter(id, { ...(message === null ? {} : { message }), dryRun: true })).preview,
    retry: false,
    staleTime: 10_000,
    gcTime: 30_000,
  });

/** The jobs on many dead letters: those that run and those that ran lately. */
export const jobsQuery = () =>
  queryOptions({
    queryKey: [DEAD_LETTERS, "jobs"],
    queryFn: ({ signal }) => readJson<DeadLetterJobsAnswer>(`${ROOT}/jobs`, signal),
    refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? 1000 : 5000),
  });

/** The effect a job would have on the dead letters there are now. */
export const dryRunQuery = (action: DeadLetterJobBody["action"], filter: DeadLetterFilter) =>
  queryOptions({
    queryKey: ["dead letter dry run", action, filter],
    queryFn: async () => (await startJob({ action, filter, dryRun: true })).dryRun,
    retry: false,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

/** True while a job has something left to do, or messages of it are not handled yet. */
export function isUnderWay({ action, status, done, skipped, stored, refused }: DeadLetterJob): boolean {
  if (status === "waiting" || status === "running") return true;
  return action === "resend" && status !== "failed" && stored + refused < done - skipped;
}

/** @throws RequestError: 409 if it isn't open any more, 422 if the edited message would be refused. */
export function resendLetter(id: string, body: ResendBody): Promise<ResendAnswer> {
  return postJson(`${addressOf(id)}/resend`, body);
}

/** @throws RequestError: 409 if it isn't open (to discard), or not discarded (to restore). */
export function changeLetter(id: string, action: "discard" | "restore"): Promise<DeadLetterView> {
  return postJson(`${addressOf(id)}/${action}`, {});
}

/** @throws RequestError */
export function startJob(body: DeadLetterJobBody): Promise<DeadLetterJobAnswer> {
  return postJson(`${ROOT}/jobs`, body);
}

/** @throws RequestError */
export function stopJob(id: string): Promise<DeadLetterJob> {
  return postJson(`${ROOT}/jobs/${encodeURIComponent(id)}/stop`, {});
}

/** Writes query parameters. An empty value means something (no device, no field): only undefined is left out. */
function search(parameters: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  return `?${query.toString()}`;
}
