import { type Config, redacted } from "@/server/config/config";
import { startedByNpm } from "@/server/config/launch";
import { stopAbandoned } from "@/server/postgres/embedded/abandoned";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import { applyLevel, isLevelMessage, turnBySignal } from "./log-level";
import { watchParent } from "./parent-watch";

/** Longest a role may take to finish what is in flight, after STOP_DELAY_SECONDS. */
const STOP_WITHIN_MS = 8000;

/** The messages between the supervisor and its roles. */
export const READY = "ready";
export const STOP = "stop";
/** What web tells: whether there is anything for the role intake to do. */
export const INTAKE_WANTED = "intake is wanted";
export const INTAKE_UNWANTED = "intake is not wanted";

/**
 * Runs a role in this process until it is told to stop: by a signal, by the supervisor, or by the supervisor's or
 * npm's death. A second signal ends it at once.
 * @param before checked first when there is no supervisor that has.
 */
export async function runRole(
  start: (config: Config, logger: Logger) => Promise<Running>,
  config: Config,
  logger: Logger,
  before: (config: Config, logger: Logger) => Promise<void> = async () => {},
): Promise<void> {
  const supervised = process.send !== undefined;
  let stopping = false;
  const started: { running?: Running } = {};
  const stop = (why: string, after: () => Promise<void> = async () => {}) => {
    if (stopping) return;
    stopping = true;
    logger.debug({ why }, "stopping");
    setTimeout(() => process.exit(1), STOP_WITHIN_MS + config.server.STOP_DELAY_SECONDS * 1000).unref();
    // A stop during the start ends it there: nothing was taken on yet that would be lost.
    void Promise.resolve(started.running?.stop())
      .then(after)
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, "did not stop cleanly");
          process.exit(1);
        },
      );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => (stopping ? process.exit(1) : stop(signal)));
  }
  turnBySignal(logger, config.server.LOG_LEVEL);
  if (supervised) {
    process.on("message", (message) => {
      if (message === STOP) stop("the supervisor says so");
      if (isLevelMessage(message)) applyLevel(logger, config.server.LOG_LEVEL, message.logLevel);
    });
    process.on("disconnect", () => {
      stop("the supervisor is gone", async () => {
        if (config.engines.DATABASE_URL === undefined) await stopAbandoned(config.dataDir);
      });
    });
  } else {
    logger.debug({ config: redacted(config) }, "configuration");
    if (startedByNpm()) watchParent(() => stop("npm is gone"));
  }
  if (!supervised) await before(config, logger);
  started.running = await start(config, logger);
  if (supervised) process.send?.(READY);
  else logger.info("running; Ctrl-C stops it");
}
