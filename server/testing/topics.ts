import type { Logger } from "pino";
import { composeEngines, topicSettings } from "@/server/compose";
import type { Config } from "@/server/config/config";

/** Makes the topics of a configuration, as a start does before its roles. */
export async function makeTopics(config: Config, logger: Logger): Promise<void> {
  const engines = await composeEngines(config, "test", logger);
  await engines.eventLog.ensureTopics(topicSettings(config));
  await engines.close();
}
