import { type Drill, readOptions, runDrills } from "./drill";
import { killEngine } from "./engine-kills";
import { brokerOf } from "./faults";

/** What carries the event log killed with SIGKILL, and started again. */
export const brokerKill: Drill = {
  name: "broker-kill",
  stage: "plain",
  run: (stage, context) => killEngine(stage, brokerOf(stage), "broker-kill", context),
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([brokerKill], readOptions(argv));
}
