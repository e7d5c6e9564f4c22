import type { JobRunsAnswer } from "@/server/contracts/jobs";
import { killNow, processOf } from "../processes";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";
import type { Stage } from "./stage";
import { eachArchived, mostFreshBlocks } from "./stored";

const JOB = "/api/v1/jobs/archive-merge";
/** Small blocks of a partition from which they are merged, young as they are. */
const MANY = 32;

/** The worker killed with SIGKILL while it merges blocks of the archive; what it left has to be finished, with every position once. */
export const archiveMergeKill: Drill = {
  name: "archive-merge-kill",
  stage: "plain",
  async run(stage, { short, random, say }) {
    const { product } = stage;
    const load = startLoad(stage, { prefix: "archive-merge", devices: 20, perSecond: USUAL_LOAD });
    const recoveries: number[] = [];
    let merging = 0;
    for (let round = 1; round <= (short ? 2 : 10); round++) {
      await until(async () => (await mostFreshBlocks(stage)) >= MANY, {
        timeoutMs: 120_000,
        everyMs: 200,
        what: `${MANY} small blocks of a partition`,
      });
      await askForRun(stage);
      const worker = processOf(product.tree(), "worker");
      if (!worker) throw new Error("there is no worker process to kill");
      await until(async () => (await latestRun(stage))?.state === "running", {
        ...{ timeoutMs: 2000, everyMs: 10, what: "the merge to run" },
      }).catch(() => {}); // It was quicker; then something else was killed.
      await pause(random() * 60);
      if ((await latestRun(stage))?.state === "running") merging++;
      killNow([worker.pid]);
      recoveries.push(await recovered(stage, load, now()));
    }
    await load.stop();
    say(`${recoveries.length} workers killed, ${merging} of them while they merged`);
    await untilMerged(stage);
    const seen = new Set<string>();
    let repeats = 0;
    await eachArchived(stage, ({ position: { log, partition, offset } }) => {
      const at = `${log}/${partition}/${offset}`;
      if (seen.has(at)) repeats++;
      seen.add(at);
    });
    return { recoveries, wrong: repeats > 0 ? [`${repeats} positions are in two blocks after merging`] : [] };
  },
};

/** Waits until a merge that began after the last message was stored has ended. */
async function untilMerged(stage: Stage): Promise<void> {
  const before = (await latestRun(stage))?.id;
  await until(
    async () => {
      const latest = await latestRun(stage);
      if (latest !== undefined && latest.id !== before) return latest.state === "done";
      await askForRun(stage);
      return false;
    },
    { timeoutMs: 60_000, everyMs: 300, what: "the archive to be merged" },
  );
}

async function askForRun({ product }: Stage): Promise<void> {
  // Refused while one is under way, which is as good.
  await product.fetch(`${JOB}/run`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
}

async function latestRun({ product }: Stage): Promise<JobRunsAnswer["items"][number] | undefined> {
  return (await product.get<JobRunsAnswer>(`${JOB}/runs?limit=1`)).items[0];
}

export async function main(argv: string[]): Promise<number> {
  return runDrills([archiveMergeKill], readOptions(argv));
}
