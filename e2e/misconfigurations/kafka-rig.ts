import pino from "pino";
import { afterAll, beforeAll } from "vitest";
import { composeEngines, topicSettings } from "@/server/compose";
import { loadConfig } from "@/server/config/config";
import { freshDatabase, type TestDatabase } from "@/server/testing/database";
import { until } from "@/server/testing/until";

/** A database beside the Kafka under test, until the file's tests are done. Call it once, at the top of a test file. */
export function createKafkaRig() {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await freshDatabase();
  });
  afterAll(() => db?.drop());

  return {
    databaseUrl: () => db.connectionString,

    /** The variables that name both, and more. */
    envOf: (brokers: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
      DATABASE_URL: db.appUrl,
      KAFKA_BROKERS: brokers,
      ...more,
    }),

    /** Makes the topics as `npm run migrate` does. */
    async makeTopics(env: Record<string, string>): Promise<void> {
      const config = loadConfig(env, "");
      const engines = await composeEngines(config, "test", pino({ level: "silent" }));
      try {
        // A broker that has just made a topic may not know it yet.
        await until(() => engines.eventLog.ensureTopics(topicSettings(config)), { timeoutMs: 20_000 });
      } finally {
        await engines.close();
      }
    },
  };
}
