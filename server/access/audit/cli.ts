import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { auditFiles } from "@/server/config/audit-files";
import type { Config } from "@/server/config/config";
import { connectDatabase } from "@/server/postgres/connection";
import { StartError } from "@/server/postgres/start-error";
import { withTransaction } from "@/server/postgres/transaction";
import type { Logger } from "@/server/observability/logger";
import { readAnchors } from "./anchors";
import { readAuditKeys } from "./keys";
import { verdictOn, verifyRecord } from "./verify";

/**
 * `npm run audit:verify [-- --anchor FILE] [--key FILE]`: reads the whole record, and says what of it isn't as it was sealed.
 * @returns the exit code: 0 when all is.
 */
export async function runAuditVerify(config: Config, logger: Logger, argv: string[]): Promise<number> {
  const files = auditFiles(config);
  const given = readOptions(argv);
  const keyFile = given.key ?? files.keyFile;
  const anchorFile = given.anchor ?? files.anchorFile;
  const keys = readAuditKeys(keyFile);
  if (given.key !== undefined && keys === null) throw noFile("--key", given.key);
  if (given.anchor !== undefined && !existsSync(given.anchor)) throw noFile("--anchor", given.anchor);
  const { pool } = connectDatabase(config, "command", logger);
  try {
    const found = await withTransaction(
      pool,
      (tx) => verifyRecord(tx, { keys, anchors: existsSync(anchorFile) ? readAnchors(anchorFile) : [] }),
      ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"],
    );
    const { isGood, lines } = verdictOn(found, keyFile);
    process.stdout.write(`${lines.join("\n")}\n`);
    return isGood ? 0 : 1;
  } finally {
    await pool.end();
  }
}

function readOptions(argv: string[]): { anchor?: string; key?: string } {
  try {
    return parseArgs({ args: argv, options: { anchor: { type: "string" }, key: { type: "string" } } }).values;
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

function noFile(option: string, file: string): StartError {
  return wrong(`${option} names ${file}, which isn't there.`);
}

function wrong(why: string): StartError {
  return new StartError("Nothing was verified", why, "`npm run -s audit:verify -- --anchor audit-anchors.ndjson`");
}
