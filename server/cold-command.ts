import { openColdStore } from "./compose";
import type { Config } from "./config/config";
import type { Logger } from "./observability/logger";
import { connectDatabase } from "./postgres/connection";
import { runCold } from "./readings/cold/cli";

/** Runs `npm run cold` on the database and cold storage of the configuration. @returns the exit code. */
export async function runColdCommand(config: Config, logger: Logger, argv: string[]): Promise<number> {
  const { pool } = connectDatabase(config, "command", logger);
  try {
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    return await runCold(argv, { pool, store: await openColdStore(config), say });
  } finally {
    await pool.end();
  }
}
