import { type Job, removeBySteps } from "@/server/postgres/job";
import { removeClaimed } from "./new-names";
import { removeIngestRatesBefore } from "./ingest-rates";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CHUNK = 5000;

/** Defines the jobs that keep what the doors count for as long as it counts. */
export function ingestJobs(): Job[] {
  return [
    {
      name: "route-retention",
      title: "Route retention",
      about: "Removes the telemetry route's rates after a day; its totals stay.",
      counts: { one: "rate removed", many: "rates removed" },
      everyMs: 10 * MINUTE,
      limitMs: 10 * MINUTE,
      run: (ctx) => removeBySteps(ctx, CHUNK, (tx, limit) => removeIngestRatesBefore(tx, ctx.now - DAY, limit)),
    },
    {
      name: "new-names",
      title: "New names",
      about: "Forgets after an hour which devices and metrics a key was the first to name.",
      counts: { one: "name forgotten", many: "names forgotten" },
      everyMs: 10 * MINUTE,
      limitMs: 10 * MINUTE,
      run: (ctx) => removeBySteps(ctx, CHUNK, removeClaimed),
    },
  ];
}
