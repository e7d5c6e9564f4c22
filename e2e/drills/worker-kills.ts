import { killNow, processOf } from "../processes";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";

/** The worker killed with SIGKILL at random moments under load; the supervisor starts it again. */
export const workerKills: Drill = {
  name: "worker-kills",
  stage: "plain",
  async run(stage, { short, random, say }) {
    const { product } = stage;
    const load = startLoad(stage, { prefix: "worker-kills", devices: 20, perSecond: USUAL_LOAD });
    const recoveries: number[] = [];
    for (let round = 1; round <= (short ? 3 : 20); round++) {
      await pause(300 + random() * 1200);
      const worker = processOf(product.tree(), "worker");
      if (!worker) throw new Error("there is no worker process to kill");
      killNow([worker.pid]);
      const killed = now();
      await until(() => (processOf(product.tree(), "worker")?.pid ?? worker.pid) !== worker.pid, {
        timeoutMs: 30_000,
        what: "the supervisor to start a worker",
      });
      recoveries.push(await recovered(stage, load, killed));
    }
    await load.stop();
    say(`${recoveries.length} workers killed; ${load.repeats()} requests sent again`);
    return { recoveries };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([workerKills], readOptions(argv));
}
