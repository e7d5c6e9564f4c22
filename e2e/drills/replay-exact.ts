import { parseArgs } from "node:util";
import type { DevicesAnswer } from "@/server/contracts/devices";
import { runProduct } from "../product";
import { createChecks } from "./checks";
import { DRILL_OPTIONS, readMode } from "./drill";
import type { EngineMode } from "./drill-engines";
import { drained, exactTotals } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { recount } from "./recount";
import type { Row } from "./rows";
import { openStage } from "./stage";

const FILE = "e2e/fixtures/environment.ndjson";

export async function main(argv: string[]): Promise<number> {
  const options = { ...DRILL_OPTIONS, file: { type: "string", default: FILE } } as const;
  const { values } = parseArgs({ args: argv, options });
  const { wrong } = await replayExact(readMode(values.engines), values.file);
  return wrong.length === 0 ? 0 : 1;
}

/**
 * Replays a recording twice through the running product: every number is exact the first time, and repeats the second.
 * @returns with the milliseconds that the first took.
 */
export async function replayExact(mode: EngineMode, file: string = FILE): Promise<Row & { readonly replayMs: number }> {
  const began = performance.now();
  const recording = readRecording(file);
  const checks = createChecks(`replay-exact on ${mode} engines`);
  const stage = await openStage(mode, "plain");
  const { product } = stage;
  let stored = 0;
  let replayMs = 0;
  try {
    const replay = () =>
      runProduct(["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url], {
        FIELDWATCH_DATA_DIR: product.dataDir,
      });

    const started = performance.now();
    const first = await replay();
    replayMs = Math.round(performance.now() - started);
    checks.that("the replay ends well", first.code === 0, first.code === 0 ? "" : first.output.slice(-600));
    const once = await drained(product, recording.messages);
    checks.equal("totals", exactTotals(once.totals), {
      messages: recording.messages,
      readings: recording.readings,
      duplicates: recording.fields - recording.readings,
      conflicts: 0,
      deadLetters: 0,
      devices: recording.devices,
    });
    await compareTables();
    checks.equal("twins", await twinDifferences(), []);

    const second = await replay();
    checks.that("the second replay ends well", second.code === 0, second.code === 0 ? "" : second.output.slice(-600));
    const twice = await drained(product, 2 * recording.messages);
    checks.equal("totals after the second replay", exactTotals(twice.totals), {
      messages: 2 * recording.messages,
      readings: recording.readings,
      duplicates: 2 * recording.fields - recording.readings,
      conflicts: 0,
      deadLetters: 0,
      devices: recording.devices,
    });
    await compareTables();

    async function compareTables(): Promise<void> {
      const tables = await recount(stage.connectionString());
      stored = tables.readings;
      checks.equal("tables", tables, {
        readings: recording.readings,
        minuteCounts: recording.readings,
        hourCounts: recording.readings,
        wrongMinutes: 0,
        wrongHours: 0,
        faults: [],
      });
    }

    async function twinDifferences(): Promise<string[]> {
      const { items } = await product.get<DevicesAnswer>("/api/v1/devices?limit=500");
      return [...recording.twins].flatMap(([device, wanted]) => {
        const found = items.find((item) => item.id === device)?.values ?? {};
        return [...wanted].flatMap(([metric, { value, time }]) => {
          const same = found[metric]?.value === value && Date.parse(found[metric].time) === time;
          return same
            ? []
            : [
                `${device} ${metric}: ${JSON.stringify(found[metric])}, expected ${value} at ${new Date(time).toISOString()}`,
              ];
        });
      });
    }
  } finally {
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  return {
    drill: "replay-exact",
    faults: 0,
    sent: recording.readings,
    stored,
    dead: 0,
    lost: Math.max(0, recording.readings - stored),
    twice: Math.max(0, stored - recording.readings),
    recoveries: [],
    seconds: (performance.now() - began) / 1000,
    wrong: [...checks.failed],
    replayMs,
  };
}
