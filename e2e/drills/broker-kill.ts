import { type Drill, readOptions, runDrills } from "./drill";
import { killEngine } from "./engine-kills";
import { brokerOf } from "./faults";

/** A drill that kills the engine carrying the event log with SIGKILL, and starts it again. */
export const brokerKill: Drill = {
  name: "broker-kill",
  stage: "plain",
  run: (stage, context) => killEngine(stage, brokerOf(stage), "broker-kill", context),
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([brokerKill], readOptions(argv));
}
