import { pause } from "../waiting";
import type { DrillContext, DrillReport } from "./drill";
import type { Breakable } from "./faults";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";
import type { Stage } from "./stage";

/** Kills one engine with SIGKILL at random moments under load, and has it started again. */
export async function killEngine(
  stage: Stage,
  engine: Breakable,
  prefix: string,
  { short, random, say }: DrillContext,
  rounds = short ? 1 : 5,
): Promise<DrillReport> {
  const load = startLoad(stage, { prefix, devices: 20, perSecond: USUAL_LOAD });
  const recoveries: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await recovered(stage, load, now());
    await pause(500 + random() * 1000);
    await engine.killAndStart();
    recoveries.push(await recovered(stage, load, now()));
  }
  await load.stop();
  say(`${engine.name} killed ${recoveries.length} times; ${load.repeats()} requests sent again`);
  return { recoveries };
}
