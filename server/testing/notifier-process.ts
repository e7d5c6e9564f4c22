import pino from "pino";
import { composeEngines } from "@/server/compose";
import { composeChannels } from "@/server/compose-notifications";
import { loadConfig } from "@/server/config/config";
import { createKeptSecrets } from "@/server/config/kept-secrets";
import { runNotifier } from "@/server/notifications/notifier";

// A process of its own with nothing but the notifier, to be killed.
const config = loadConfig();
const logger = pino({ level: "silent" });
const engines = await composeEngines(config, "test", logger);
runNotifier({
  ...{ pool: engines.pool, eventLog: engines.eventLog, now: Date.now, logger, publicUrl: null },
  ...composeChannels(config),
  ...{ keptSecrets: createKeptSecrets(config), lookMs: 20, retryMs: 50, leaseMs: 1000 },
});
