import { readFileSync } from "node:fs";
import { type RunningEngines, startEngines } from "@/e2e/engines/engines";
import { EnginesMissing, prepareJava } from "@/e2e/engines/java";
import type { MissingEngine, TestEngines } from "./provided";

/** Maps what a test file must hold to the engines started for it: the names of server/testing/engines.ts. */
const ASKS = { kafka: "describeWithKafka", mongodb: "describeWithMongo", own: "describeStartingEngines" } as const;

const NOT_ASKED: MissingEngine = { missing: "no test file of this run names the function that asks for it" };

/**
 * Provides the real engines that the files of a run ask for: those of TEST_KAFKA_BROKERS (else KAFKA_BROKERS) and
 * TEST_MONGODB_URI (else MONGODB_URI), or started ones. With FIELDWATCH_REQUIRE_ENGINES=1 all must be there.
 * @returns what stops them and says what was left out.
 * @throws EnginesMissing when they are required and one is missing.
 */
export async function provideEngines(
  files: readonly string[],
  provide: (engines: TestEngines) => void,
): Promise<() => Promise<void>> {
  const required = process.env.FIELDWATCH_REQUIRE_ENGINES === "1";
  const texts = files.map((file) => readFileSync(file, "utf8"));
  const asked = (name: string) => texts.some((text) => text.includes(name));
  const brokers = process.env.TEST_KAFKA_BROKERS ?? process.env.KAFKA_BROKERS;
  const uri = process.env.TEST_MONGODB_URI ?? process.env.MONGODB_URI;
  const wanted = {
    kafka: brokers === undefined && asked(ASKS.kafka),
    mongodb: uri === undefined && asked(ASKS.mongodb),
    own: asked(ASKS.own),
  };

  let engines: RunningEngines | undefined;
  let missing = NOT_ASKED;
  if (wanted.kafka || wanted.mongodb || wanted.own) {
    try {
      await prepareJava((line) => console.log(line));
      engines = await startEngines({ kafka: wanted.kafka && { heap: "512m" }, mongodb: wanted.mongodb });
    } catch (error) {
      if (required || !(error instanceof EnginesMissing)) throw error;
      missing = { missing: error.what.replace(/^.*: /, "") };
    }
  }
  provide({
    kafka: brokers === undefined ? (engines?.kafka ? { brokers: engines.kafka.brokers } : missing) : { brokers },
    mongodb: uri === undefined ? (engines?.mongodb ? { uri: engines.mongodb.uri } : missing) : { uri },
    startable: wanted.own && engines ? true : missing,
  });
  const names = { kafka: "Kafka", mongodb: "MongoDB", own: "starting engines" } as const;
  const leftOut = engines ? [] : (["kafka", "mongodb", "own"] as const).filter((name) => wanted[name]);
  return async () => {
    await engines?.stop();
    if (leftOut.length > 0)
      console.log(
        `\nLeft out: tests on ${leftOut.map((name) => names[name]).join(", ")} (${missing.missing}). See docs/engines.md.`,
      );
  };
}
