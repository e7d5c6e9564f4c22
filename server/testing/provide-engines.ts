import { readFileSync } from "node:fs";
import { type RunningEngines, startEngines } from "@/e2e/engines/engines";
import { EnginesMissing, prepareJava } from "@/e2e/engines/java";
import { type S3Server, startS3 } from "@/e2e/engines/s3mock";
import type { MissingEngine, TestEngines } from "./provided";

/** Maps what a test file must hold to the engines started for it: the names of server/testing/engines.ts. */
const ASKS = {
  kafka: "describeWithKafka",
  mongodb: "describeWithMongo",
  s3: "describeWithS3",
  own: "describeStartingEngines",
} as const;

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
    s3: asked(ASKS.s3),
    own: asked(ASKS.own),
  };

  let engines: RunningEngines | undefined;
  let s3: S3Server | undefined;
  let missing = NOT_ASKED;
  if (wanted.kafka || wanted.mongodb || wanted.s3 || wanted.own) {
    try {
      await prepareJava((line) => console.log(line));
      engines = await startEngines({ kafka: wanted.kafka && { heap: "512m" }, mongodb: wanted.mongodb });
      if (wanted.s3) s3 = await startS3((line) => console.log(line));
    } catch (error) {
      await engines?.stop();
      engines = undefined;
      if (required || !(error instanceof EnginesMissing)) throw error;
      missing = { missing: error.what.replace(/^.*: /, "") };
    }
  }
  provide({
    kafka: brokers === undefined ? (engines?.kafka ? { brokers: engines.kafka.brokers } : missing) : { brokers },
    mongodb: uri === undefined ? (engines?.mongodb ? { uri: engines.mongodb.uri } : missing) : { uri },
    s3: s3 ? { endpoint: s3.endpoint, bucket: s3.bucket } : missing,
    startable: wanted.own && engines ? true : missing,
  });
  const names = { kafka: "Kafka", mongodb: "MongoDB", s3: "S3", own: "starting engines" } as const;
  const leftOut = engines ? [] : (["kafka", "mongodb", "s3", "own"] as const).filter((name) => wanted[name]);
  return async () => {
    await Promise.all([engines?.stop(), s3?.remove()]);
    if (leftOut.length > 0)
      console.log(
        `\nLeft out: tests on ${leftOut.map((name) => names[name]).join(", ")} (${missing.missing}). See docs/engines.md.`,
      );
  };
}
