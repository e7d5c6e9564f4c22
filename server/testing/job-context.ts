import type { Pool } from "pg";
import { SYSTEM } from "@/server/domain/access";
import type { Job, JobContext, Progress } from "@/server/postgres/job";
import { withTransaction } from "@/server/postgres/transaction";
import { InjectedFault } from "./pipeline-rig";

/** Makes a job's context for tests that don't look at the books of its run; `noted` tells what it noted last. */
export function jobContext(
  pool: Pool,
  {
    now = Date.now(),
    params = {},
    signal = new AbortController().signal,
  }: Partial<Omit<JobContext, "run">> & { params?: unknown } = {},
): JobContext & { noted(): Progress | null } {
  let noted: Progress | null = null;
  return {
    ...{ caller: SYSTEM, sites: "all", signal, tx: pool, now },
    run: { id: "run", params, cursor: null, done: 0, total: null },
    async step(work) {
      noted = await withTransaction(pool, work);
    },
    async note(progress) {
      noted = progress;
    },
    noted: () => noted,
  };
}

/** Runs a job whose worker is killed in the step after `parts` of them: what that one did is rolled back. */
export async function runKilled(job: Pick<Job, "run">, ctx: JobContext, parts: number): Promise<void> {
  let left = parts;
  const step: JobContext["step"] = (work) =>
    ctx.step(async (tx) => {
      const progress = await work(tx);
      if (left-- <= 0) throw new InjectedFault("killed");
      return progress;
    });
  await job.run({ ...ctx, step }).catch((error: unknown) => {
    if (!(error instanceof InjectedFault)) throw error;
  });
}
