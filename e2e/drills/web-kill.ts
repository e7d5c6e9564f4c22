import { killNow, processOf } from "../processes";
import { pause, until } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";

/** Web killed with SIGKILL while gateways post: what was not acknowledged comes again, and is counted as repeats only. */
export const webKill: Drill = {
  name: "web-kill",
  stage: "plain",
  async run(stage, { short, random, say }) {
    const { product } = stage;
    const load = startLoad(stage, { prefix: "web-kill", devices: 20, perSecond: USUAL_LOAD });
    const recoveries: number[] = [];
    for (let round = 1; round <= (short ? 2 : 10); round++) {
      await pause(300 + random() * 1200);
      const web = processOf(product.tree(), "web");
      if (!web) throw new Error("there is no web process to kill");
      killNow([web.pid]);
      const killed = now();
      await until(() => (processOf(product.tree(), "web")?.pid ?? web.pid) !== web.pid, {
        timeoutMs: 30_000,
        what: "the supervisor to start web",
      });
      recoveries.push(await recovered(stage, load, killed));
    }
    await load.stop();
    say(`web killed ${recoveries.length} times; ${load.repeats()} requests sent again`);
    return { recoveries };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([webKill], readOptions(argv));
}
