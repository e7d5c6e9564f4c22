import { type Child, Explained, startChild } from "./boot/children";
import { createOnDemand } from "./boot/on-demand";
import { applyLevel, isLevelMessage, turnBySignal } from "./boot/log-level";
import { INTAKE_UNWANTED, INTAKE_WANTED } from "./boot/role";
import { explain, formatStartError } from "./boot/explain";
import { watchParent } from "./boot/parent-watch";
import { refusePort } from "./boot/port";
import { prepareEngines } from "./boot/prepare";
import { recordOf, troubleOf } from "./boot/start-record";
import { type Config, redacted } from "./config/config";
import { startedByNpm } from "./config/launch";
import { addressForPeople } from "./config/address";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./postgres/embedded/embedded-postgres";
import { refuseOwned, wasAbandoned } from "./postgres/embedded/owner";
import type { LogLevel } from "./domain/log-level";
import { createLogger, isForPeople, type Logger } from "./observability/logger";
import type { SetupAttempt } from "./observability/setup-attempts.mjs";

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void>;
  readonly kill: () => void;
}

/** The time each part may take to stop, in milliseconds; together less than 10 s. */
const STOP_MS = { simulator: 1200, intake: 1200, roles: 4500, database: 3000 };

/**
 * `npm start`: PostgreSQL, migrations, topics, web and worker, simulator, in this order; stops in reverse. A part that
 * fails to start takes down what was started before it. Ends the process.
 * @param program dist/main.mjs, which runs the single roles.
 * @param attempt where the start is written down.
 */
export async function runSupervisor(config: Config, program: string, attempt: SetupAttempt): Promise<never> {
  const { LOG_LEVEL: level, LOG_FORMAT: format } = config.server;
  const logger = createLogger({ role: "supervisor", level, format });
  logger.debug({ config: redacted(config) }, "configuration");
  const record = recordOf(attempt, config);
  const intake = createOnDemand({ role: "intake", program, logger, start: startChild });
  const tellers: Pick<Child, "tell">[] = [intake];
  const tellLevel = (logLevel: LogLevel | null) => tellers.forEach((one) => one.tell({ logLevel }));
  turnBySignal(logger, level, tellLevel);
  const onMessage = (message: unknown) => {
    if (isLevelMessage(message)) {
      applyLevel(logger, level, message.logLevel);
      tellLevel(message.logLevel);
    }
    if (message === INTAKE_WANTED) intake.want(true);
    if (message === INTAKE_UNWANTED) intake.want(false);
  };
  const parts: Part[] = [];
  let stoppingNow: Part | undefined;

  let stopping: Promise<never> | undefined;
  const shutDown = (exitCode: number): Promise<never> => (stopping ??= stopAll(exitCode));
  const stopAll = async (exitCode: number): Promise<never> => {
    const started = performance.now();
    if (parts.length === 0) process.exit(exitCode);
    logger.info("stopping");
    // A start under way may still add parts: they are stopped too.
    for (let part = parts.pop(); part; part = parts.pop()) {
      const { name } = part;
      stoppingNow = part;
      await part.stop().catch((error: unknown) => logger.error({ err: error, part: name }, "did not stop cleanly"));
    }
    logger.info(`stopped${seconds(started)}`);
    process.exit(exitCode);
  };
  const fail = (error: unknown): Promise<never> => {
    if (!stopping) {
      report(error, config, logger);
      attempt.gaveUp(troubleOf(error, config));
    }
    return shutDown(1);
  };
  const onSignal = (why: string) => {
    if (stopping) {
      for (const part of [...parts, stoppingNow]) part?.kill();
      process.exit(130);
    }
    attempt.stopped();
    logger.info(`${why}: stopping everything; once more ends it at once`);
    void shutDown(0);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => onSignal(signal));
  if (startedByNpm()) watchParent(() => void (stopping ?? onSignal("npm is gone")));

  try {
    await start();
  } catch (error) {
    await fail(error);
  }
  return new Promise<never>(() => {});

  async function start(): Promise<void> {
    const began = performance.now();
    const embedded = config.engines.DATABASE_URL === undefined;
    await record.step("port and data folder", async () => {
      if (embedded) refuseOwned(config.dataDir);
      // A killed Fieldwatch's web may need a moment to let go of the port.
      await refusePort(config, embedded && wasAbandoned(config.dataDir) ? 10_000 : 1_000);
    });
    if (embedded) await record.step("PostgreSQL", startDatabase);
    const firstLink = await prepareEngines(config, logger, { insist: false, record });
    await startRoles(["web", "worker"], STOP_MS.roles);
    parts.push({ name: "intake", stop: () => intake.stop(STOP_MS.intake), kill: () => intake.kill() });
    if (config.demoDevices > 0) await startRoles(["simulator"], STOP_MS.simulator);
    if (stopping) return;
    attempt.ready();
    const address = addressForPeople(config);
    logger.info(`Fieldwatch is running at ${address}${seconds(began)}; Ctrl-C stops it`);
    if (firstLink !== null && isForPeople(format))
      logger.info(`open ${address}/sign-in#k=${firstLink} to become its owner; this link works once, within the hour`);
    // Whoever reads a log store isn't whoever may own this.
    else if (firstLink !== null)
      logger.info(`nobody owns it yet: \`npm run sign-in-link\` makes the link by which its owner signs in`);
  }

  async function startDatabase(): Promise<void> {
    const started = performance.now();
    const postgres: EmbeddedPostgres = await startEmbeddedPostgres({
      dataDir: config.dataDir,
      logger,
      onFailure: (error) => void fail(error),
    });
    parts.push({ name: "PostgreSQL", stop: () => postgres.stop(STOP_MS.database), kill: () => postgres.kill() });
    const where = postgres.created ? `made in ${config.dataDir}` : `started in ${config.dataDir}`;
    logger.info(`embedded PostgreSQL ${where}${seconds(started)}`);
    await untilNotStopping();
  }

  /** Starts roles that don't need each other, and will stop them together. */
  async function startRoles(roles: string[], stopWithinMs: number): Promise<void> {
    const started = performance.now();
    const onFailure = (error: unknown) => void fail(error);
    const children = roles.map((role) => startChild({ role, program, logger, onFailure, onMessage }));
    tellers.push(...children);
    parts.push({
      name: roles.join(" and "),
      stop: async () => void (await Promise.all(children.map((child) => child.stop(stopWithinMs)))),
      kill: () => children.forEach((child) => child.kill()),
    });
    const ready = (child: Child) => child.ready.then(() => logger.info(`${child.role} is ready${seconds(started)}`));
    await Promise.all(children.map((child) => record.step(child.role, () => ready(child))));
    await untilNotStopping();
  }

  /** Holds a start that was interrupted, until the process ends: what it has added is being stopped. */
  async function untilNotStopping(): Promise<void> {
    if (stopping) await new Promise(() => {});
  }
}

function seconds(since: number): string {
  return ` (${((performance.now() - since) / 1000).toFixed(1)} s)`;
}

function report(error: unknown, config: Config, logger: Logger): void {
  if (error instanceof Explained) return;
  const explained = explain(error, config);
  if (explained) process.stderr.write(formatStartError(explained));
  else logger.fatal({ err: error }, "Fieldwatch can't run");
}
