import type { z } from "zod";
import { REMOVALS_JOB } from "@/server/catalog/jobs";
import type { job } from "@/server/contracts/jobs";
import { readJobs } from "@/server/jobs/read";
import { requestRun } from "@/server/jobs/requests";
import type { WritingContext } from "@/server/postgres/context";
import { noSuchJob, toJob } from "./view";

/** Has what was taken out of the catalog removed now. A run that is under way sees it, too. */
export async function startRemoval({ tx, now, caller, sites }: WritingContext): Promise<z.input<typeof job>> {
  await requestRun(tx, { job: REMOVALS_JOB, requestedBy: { text: caller.kind, accountId: null } });
  const [row] = await readJobs(tx, REMOVALS_JOB);
  // No worker has ever run: the first that does finds it.
  if (!row) throw noSuchJob(REMOVALS_JOB);
  const whole = toJob(row, now);
  // Its runs tell of the removals of all sites.
  return sites === "all" ? whole : { ...whole, unfinished: 0, current: null, last: null };
}
