import type { Pool } from "pg";
import { SYSTEM } from "@/server/domain/access";
import type { JobContext, Progress } from "@/server/postgres/job";
import { withTransaction } from "@/server/postgres/transaction";

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
