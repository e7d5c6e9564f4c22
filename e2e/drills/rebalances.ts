import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { killNow } from "../processes";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";

/** Two workers share the partitions; one is killed with SIGKILL and started again, over and over, under load. */
export const rebalances: Drill = {
  name: "rebalances",
  stage: "plain",
  async run(stage, { short, random, say }) {
    const { product } = stage;
    const load = startLoad(stage, { prefix: "rebalances", devices: 24, perSecond: USUAL_LOAD });
    const shared = async () => {
      const { workers, partitions } = await product.get<PipelineAnswer>("/api/v1/pipeline");
      const owners = new Set(partitions.map(({ owner }) => owner));
      return workers === 2 && owners.size === 2 && !owners.has(null);
    };
    const waitShared = () =>
      until(shared, { timeoutMs: 60_000, everyMs: 200, what: "two workers to share the partitions" });
    const recoveries: number[] = [];
    let second = await stage.startRole("worker");
    for (let round = 1; round <= (short ? 2 : 10); round++) {
      await waitShared();
      await pause(random() * 1000);
      killNow([second.pid]);
      const killed = now();
      await second.exited;
      second = await stage.startRole("worker");
      recoveries.push(await recovered(stage, load, killed));
    }
    await waitShared();
    await load.stop();
    await second.stop();
    say(`a worker killed and started ${recoveries.length} times beside another; both had partitions each time`);
    return { recoveries };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([rebalances], readOptions(argv));
}
