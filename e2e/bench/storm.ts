import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { findSilent } from "@/server/alerting/silence";
import { migrate } from "@/server/postgres/migrate";
import { readBlocks } from "@/server/readings/blocks";
import { playStorm } from "@/server/testing/storm-rig";
import { machine, markdownTable } from "./report";
import { scratchPostgres } from "./scratch-postgres";

/**
 * Half of a fleet falls silent within a minute, at four of eight sites, is told of, and comes back; then the whole fleet falls silent in one moment.
 * What is decided and told is checked, and how long the slowest of each step took is told.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { devices: { type: "string", default: "10000" } } });
  const devices = Number(values.devices);
  const postgres = await scratchPostgres();
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-storm-"));
  try {
    await migrate(postgres.connectionString);
    const report = await playStorm(postgres, folder, { devices, sites: 8, cut: 4, look: 1 });
    await postgres.pool.query(
      `DELETE FROM alert_state; UPDATE alert SET state = 'resolved', ended_at = now() WHERE ended_at IS NULL;
       UPDATE device SET last_seen = now() - interval '1 hour'`,
    );
    const from = performance.now();
    await findSilent({ pool: postgres.pool, readBlocks, staleMs: 600_000 }, Date.now());
    const atOnceMs = performance.now() - from;
    const ms = (value: number) => `${Math.round(value)} ms`;
    console.log(
      `${machine()}\n\n${markdownTable(
        [`${devices} devices, half of them cut off at 4 sites`, "seen", "at most"],
        [
          ["messages of each channel", report.told.join(", "), "4"],
          ["messages of each channel when they are back", report.toldBack.join(", "), "4"],
          ["alerts beneath those of sites", String(report.beneath), "–"],
          ["slowest second of deciding", ms(report.decideMs), "–"],
          ["first page of the open alerts", ms(report.listMs), "1000 ms"],
          ["all that were cut off heard again", ms(report.backMs), "–"],
          [`${devices} alerts decided in one transaction`, ms(atOnceMs), "1500 ms"],
        ],
      )}`,
    );
    const isGood =
      report.told.every((n) => n <= 4) &&
      report.toldBack.every((n) => n <= 4) &&
      report.listMs < 1000 &&
      atOnceMs < 1500;
    return isGood && report.beneath === devices / 2 ? 0 : 1;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
