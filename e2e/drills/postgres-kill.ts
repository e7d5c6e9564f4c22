import { type Drill, readOptions, runDrills } from "./drill";
import { killEngine } from "./engine-kills";
import { databaseOf } from "./faults";

/** PostgreSQL killed with SIGKILL, and started again: the embedded one by its supervisor. */
export const postgresKill: Drill = {
  name: "postgres-kill",
  stage: "plain",
  run: (stage, context) => killEngine(stage, databaseOf(stage), "postgres-kill", context),
};

export async function main(argv: string[]): Promise<number> {
  return runDrills([postgresKill], readOptions(argv));
}
