import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { EXIT_EXPLAINED, EXIT_TEMPORARY, explain, formatStartError } from "./boot/explain";
import { runRole } from "./boot/role";
import { beginStart } from "./boot/start-record";
import { usageFor } from "./boot/usage";
import { addressForPeople } from "./config/address";
import { type Config, loadConfig } from "./config/config";
import { refuseExposure } from "./config/exposure";
import { isRetryable } from "./postgres/error-classes";
import { errorCode, StartError } from "./postgres/start-error";
import { createLogger, type Logger } from "./observability/logger";
import { noteFailure, type SetupAttempt } from "./observability/setup-attempts.mjs";

/** Roles of `node dist/main.mjs <role>` besides `start`. Each loads only its own code. */
const ROLES: Record<string, (config: Config, argv: string[]) => Promise<void>> = {
  web: async (config) => {
    refuseExposure(config);
    await runRole((await import("./web")).runWeb, config, loggerOf("web", config), checkDatabase);
  },
  worker: async (config) =>
    runRole((await import("./worker")).runWorker, config, loggerOf("worker", config), checkDatabase),
  intake: async (config) => {
    refuseExposure(config);
    await runRole((await import("./intake")).runIntake, config, loggerOf("intake", config), checkDatabase);
  },
  simulator: async (config) =>
    runRole((await import("./simulator-role")).runSimulatorRole, config, loggerOf("simulator", config)),
  migrate: async (config) =>
    void (await (await import("./boot/prepare")).prepareEngines(config, loggerOf("migrate", config), { insist: true })),
  "sign-in-link": async (config) =>
    (await import("./access/cli")).runSignInLink(config, loggerOf("sign-in-link", config), addressForPeople(config)),
  key: async (config, argv) => {
    const { ensureSite: ensure, findSite: find } = await import("./catalog/catalog-writes");
    await (await import("./access/cli")).runKey(config, loggerOf("key", config), argv, { find, ensure });
  },
  "audit-verify": async (config, argv) =>
    process.exit(
      await (await import("./access/audit/cli")).runAuditVerify(config, loggerOf("audit-verify", config), argv),
    ),
  backup: async (config, argv) => {
    // What takes messages goes before.
    setPriority(10);
    const { backupMeans } = await import("./compose-backup");
    await (await import("./backup/backup")).runBackup(config, loggerOf("backup", config), argv, backupMeans);
  },
  restore: async (config, argv) => {
    const { backupMeans } = await import("./compose-backup");
    process.exit(
      await (await import("./backup/restore")).runRestore(config, loggerOf("restore", config), argv, backupMeans),
    );
  },
  cold: async (config, argv) =>
    process.exit(await (await import("./cold-command")).runColdCommand(config, loggerOf("cold", config), argv)),
  doctor: async (config, argv) => {
    const print = (text: string) => void process.stdout.write(text);
    process.exit(await (await import("./doctor")).runDoctor(config, loggerOf("doctor", config), argv, print));
  },
  "support-bundle": async (config, argv) => {
    const { runSupportBundle } = await import("./support-bundle");
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    process.exit(await runSupportBundle(config, loggerOf("support-bundle", config), argv, say));
  },
  replay: async (config, argv) => {
    const { runReplay } = await import("./replay/cli");
    const { DECODER_OF: decoderOf } = await import("./sources/decoders/decoders");
    process.exit(await runReplay(argv, config, { out: process.stdout, error: process.stderr, decoderOf }));
  },
};

async function runStart(config: Config, attempt: SetupAttempt): Promise<void> {
  await (await import("./supervisor")).runSupervisor(config, fileURLToPath(import.meta.url), attempt);
}

async function checkDatabase(config: Config, logger: Logger): Promise<void> {
  await (await import("./boot/prepare")).checkDatabase(config, logger);
}

/** Tells why this process can't go on, once, and ends it. */
function die(error: unknown, role: string, config?: Config): never {
  // An outage is no reason to give up under the supervisor: it starts this again.
  const outage = process.send !== undefined && errorCode(error) !== undefined && isRetryable(error);
  const explained = outage ? undefined : explain(error, config);
  if (explained && config && process.send !== undefined)
    noteFailure(config.dataDir, role, { what: explained.what, cause: explained.why, fix: explained.fix });
  if (explained) process.stderr.write(formatStartError(explained));
  else if (config) loggerOf(role, config).fatal({ err: error }, outage ? "can't start yet" : "ends after an error");
  else console.error(error);
  process.exit(explained ? EXIT_EXPLAINED : outage ? EXIT_TEMPORARY : 1);
}

function loggerOf(role: string, config: Config): Logger {
  return createLogger({ role, level: config.server.LOG_LEVEL, format: config.server.LOG_FORMAT });
}

async function main([name = "start", ...argv]: string[]): Promise<void> {
  process.setSourceMapsEnabled(true);
  let config: Config | undefined;
  // Nobody caught this: a process in an unknown state must not go on.
  const onUnhandled = (error: unknown) => {
    if (error instanceof StartError || !config) die(error, name, config);
    loggerOf(name, config).fatal({ err: error }, "ends after an error nobody handled");
    process.exit(1);
  };
  process.on("uncaughtException", onUnhandled);
  process.on("unhandledRejection", onUnhandled);
  try {
    if (name === "start") {
      const start = beginStart();
      config = start.config;
      return await runStart(config, start.attempt);
    }
    const run = ROLES[name];
    if (!run) {
      const roles = ["start", ...Object.keys(ROLES)].join(", ");
      throw new StartError(`There is no role "${name}"`, `The roles are ${roles}.`, "node dist/main.mjs start");
    }
    const usage = usageFor(name, argv);
    if (usage !== null) return void process.stdout.write(usage);
    config = loadConfig();
    await run(config, argv);
  } catch (error) {
    die(error, name, config);
  }
}

void main(process.argv.slice(2));
