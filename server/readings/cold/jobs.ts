import type { ColdStore } from "@/server/ports/cold-store";
import type { Job, JobContext } from "@/server/postgres/job";
import { leftoverFiles } from "./manifest";
import { moveMonths } from "./move";
import type { ColdReader } from "./reader";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface ColdJobDeps {
  readonly store: ColdStore;
  readonly cold: ColdReader;
  /** A month is moved so many days after its end. */
  readonly afterDays: number;
}

export function coldJobs(deps: ColdJobDeps): Job[] {
  const { afterDays } = deps;
  return [
    {
      name: "cold-readings",
      title: "Cold readings",
      about: `Moves months of readings that ended ${afterDays} days ago to cold storage, and brings late readings of such months there.`,
      counts: { one: "month moved", many: "months moved" },
      everyMs: HOUR,
      limitMs: null,
      async run(ctx) {
        await removeLeftovers(ctx, deps.store);
        await moveMonths(ctx, deps, ctx.now - afterDays * DAY);
      },
    },
  ];
}

async function removeLeftovers(ctx: JobContext, store: ColdStore): Promise<void> {
  for (const { id, name } of await leftoverFiles(ctx.tx)) {
    await store.remove(name);
    await ctx.step(async (tx) => {
      await tx.query("DELETE FROM cold_file WHERE id = $1", [id]);
      return { done: ctx.run.done };
    });
  }
}
