import { pause } from "../waiting";
import { type Drill, readOptions, runDrills } from "./drill";
import { startLoad, USUAL_LOAD } from "./load";
import type { Proxy } from "./proxy";
import { now, recovered } from "./recovery";

/** Faults of all connections of one engine, and how long they last, in seconds: in full and in short. */
const FAULTS: readonly {
  name: string;
  seconds: readonly [full: number, short: number];
  begin: (proxy: Proxy) => void;
}[] = [
  { name: "cut", seconds: [10, 2], begin: (proxy) => proxy.cut() },
  { name: "stalled", seconds: [45, 4], begin: (proxy) => proxy.stall() },
  { name: "slowed", seconds: [30, 3], begin: (proxy) => proxy.slow({ latencyMs: 100, bytesPerSecond: 200_000 }) },
];

/** The connections to each engine in turn cut, stalled and slowed by a proxy between, under load. */
export const connections: Drill = {
  name: "connections",
  stage: "proxied",
  async run(stage, { short, say }) {
    const { engines } = stage;
    const load = startLoad(stage, { prefix: "connections", devices: 20, perSecond: USUAL_LOAD });
    await recovered(stage, load, now());
    if (["embedded", "kafka", "mongodb"].includes(stage.mode))
      say("a plain PostgreSQL takes the place of the embedded one: nothing can be put before that");
    const recoveries: number[] = [];
    for (const [engine, proxy] of Object.entries(engines.proxies)) {
      for (const { name, seconds, begin } of FAULTS) {
        begin(proxy);
        await pause(seconds[short ? 1 : 0] * 1000);
        proxy.mend();
        const took = await recovered(stage, load, now());
        recoveries.push(took);
        say(`${engine} ${name} for ${seconds[short ? 1 : 0]} s: recovered in ${took.toFixed(1)} s`);
      }
    }
    await load.stop();
    say(`${load.repeats()} requests sent again`);
    return { recoveries };
  },
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([connections], readOptions(argv));
}
