import type { PipelineAnswer } from "@/server/contracts/pipeline";
import { pause } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import { memoryWatch } from "./memory";
import { now, recovered } from "./recovery";

/** The store of messages answers late and thinly at ten times the usual load: consumption slows, memory doesn't grow, the backlog drains. */
export const slowStore: Drill = {
  name: "slow-store",
  stage: "proxied",
  async run(stage, { short, say }) {
    const { product, engines } = stage;
    const [store, proxy] = engines.proxies.mongodb
      ? ["MongoDB", engines.proxies.mongodb]
      : ["PostgreSQL, which keeps the messages,", engines.proxies.postgres];
    if (!proxy) throw new Error("there is no proxy before the store");
    const usual = startLoad(stage, { prefix: "usual", devices: 20, perSecond: USUAL_LOAD });
    await recovered(stage, usual, now());

    const memory = memoryWatch(product);
    const seconds = short ? 15 : 120;
    const peak = startLoad(stage, { prefix: "peak", devices: 40, perSecond: 9 * USUAL_LOAD });
    // Bytes a second on each connection: a fraction of what the messages of this load need.
    proxy.slow({ latencyMs: 150, bytesPerSecond: 50_000 });
    let behind = 0;
    for (const ends = performance.now() + seconds * 1000; performance.now() < ends; await pause(250)) {
      const { lag } = await product.get<PipelineAnswer>("/api/v1/pipeline").catch(() => ({ lag: 0 }));
      behind = Math.max(behind, (lag ?? 0) + peak.owed() + usual.owed());
    }
    // The backlog then comes in the largest batches there are: that is another size, told by itself.
    memory.stop();
    const draining = memoryWatch(product);
    proxy.mend();
    const mended = now();
    await peak.stop();
    const took = await recovered(stage, usual, mended);
    draining.stop();
    await usual.stop();
    const { flat, told } = memory.verdicts().get("worker")!;
    say(
      `${store} slowed for ${seconds} s at ${10 * USUAL_LOAD} messages/s: up to ${behind} messages behind; worker memory ${told}, ` +
        `${draining.verdicts().get("worker")!.peakMb} MB at most while the backlog drained`,
    );
    const wrong = flat ? [] : [`the worker's memory grew: ${told}`];
    if (behind < 10 * USUAL_LOAD)
      wrong.push(`the store was not slow enough to matter: at most ${behind} messages behind`);
    return { recoveries: [took], wrong };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([slowStore], readOptions(argv));
}
