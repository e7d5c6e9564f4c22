import type { Engines } from "@/server/compose";
import { StartError } from "@/server/postgres/start-error";
import { InspectionError } from "@/server/ports/inspection";
import { type EngineNames, kafkaNames, mongoNames, troubleWords } from "@/server/ports/trouble-words";

/**
 * Why Kafka or MongoDB can't be used, by asking them, in the words of /health; undefined when both answer and let us in.
 * Takes up to 8 s. For a start that failed on one of them.
 */
export async function explainEngines({ kafka, mongodb }: Engines["inspection"]): Promise<StartError | undefined> {
  const [first, second] = await Promise.all([
    kafka && trouble(kafkaNames(kafka), () => askKafka(kafka)),
    mongodb && trouble(mongoNames(mongodb), () => mongodb.server()),
  ]);
  return first ?? second ?? undefined;
}

/** The bootstrap address, the sign-in, and every address that clients are told to use. */
async function askKafka(kafka: NonNullable<Engines["inspection"]["kafka"]>): Promise<void> {
  const { brokers } = await kafka.cluster();
  await Promise.all(brokers.map(({ address }) => kafka.reach(address)));
}

async function trouble(names: EngineNames, ask: () => Promise<unknown>): Promise<StartError | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof InspectionError)) throw error;
    const { cause, fix } = troubleWords(error, names);
    return new StartError(`The ${names.engine} of ${names.variable} can't be used`, cause, fix, { cause: error });
  }
}
