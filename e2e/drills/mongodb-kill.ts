import { MongoClient } from "mongodb";
import { EnginesMissing } from "../engines/java";
import { prepareSecantus } from "../engines/secantus";
import { type Drill, readOptions, runDrills } from "./drill";
import type { EngineMode } from "./drill-engines";
import { killEngine } from "./engine-kills";

/** MongoDB's stand-in killed with SIGKILL mid-load, and started again; what expires has its index. */
export const mongodbKill: Drill = {
  name: "mongodb-kill",
  stage: "killable",
  async run(stage, context) {
    const { mongodb } = stage.engines;
    if (!mongodb) throw new Error("there is no MongoDB to kill");
    const engine = {
      name: "the MongoDB-wire server",
      async killAndStart() {
        await mongodb.kill();
        await mongodb.start();
      },
      away: "stopped",
      takeAway: () => mongodb.stop(),
      giveBack: () => mongodb.start(),
    };
    const report = await killEngine(stage, engine, "mongodb-kill", context, context.short ? 3 : 10);
    const wrong = (await hasExpiry(mongodb.uri)) ? [] : ["there is no index by which messages expire"];
    return { ...report, wrong };
  },
};

async function hasExpiry(uri: string): Promise<boolean> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5000 });
  try {
    const indexes = await client.db().collection("archive").indexes();
    return indexes.some(({ expireAfterSeconds = 0 }) => expireAfterSeconds > 0);
  } finally {
    await client.close();
  }
}

/** The drill, where there is a MongoDB that this machine can kill; says so where it isn't run. */
export async function ifKillable(mode: EngineMode): Promise<readonly Drill[]> {
  if (mode !== "real" && mode !== "mongodb") return [];
  try {
    await prepareSecantus(console.log);
    return [mongodbKill];
  } catch (error) {
    if (!(error instanceof EnginesMissing)) throw error;
    console.log(`\nmongodb-kill: not run. ${error.what}. ${error.why}`);
    return [];
  }
}

export async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  const drills = await ifKillable(options.mode);
  if (drills.length > 0) return runDrills(drills, options);
  console.log("It takes --engines mongodb or real, and Python.");
  return 1;
}
