import type { ColdStore } from "@/server/ports/cold-store";
import type { Job, JobContext } from "@/server/postgres/job";
import { firstMoment, monthOf } from "@/server/postgres/months";
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
  /** Readings are kept so many days; 0: for ever. */
  readonly retentionDays: number;
}

export function coldJobs(deps: ColdJobDeps): Job[] {
  const { afterDays, retentionDays } = deps;
  return [
    {
      name: "cold-readings",
      title: "Cold readings",
      about: `Moves months of readings that ended ${afterDays} days ago to cold storage, and brings late readings of such months there.`,
      everyMs: HOUR,
      limitMs: null,
      async run(ctx) {
        if (retentionDays > 0) await forget(ctx, ctx.now - retentionDays * DAY);
        await removeLeftovers(ctx, deps.store);
        await moveMonths(ctx, deps, ctx.now - afterDays * DAY);
      },
    },
  ];
}

/** Months before the one `before` is in are read no more. */
async function forget(ctx: JobContext, before: number): Promise<void> {
  await ctx.step(async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      "UPDATE cold_file SET state = 'removing', since = now() WHERE state = 'kept' AND month < $1::timestamptz::date RETURNING id",
      [firstMoment(monthOf(before))],
    );
    await tx.query("DELETE FROM cold_device WHERE file_id = ANY ($1::integer[])", [rows.map(({ id }) => id)]);
    return { done: ctx.run.done };
  });
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
