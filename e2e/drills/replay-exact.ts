import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { DevicesAnswer } from "@/server/contracts/devices";
import { runProduct, startProduct } from "../product";
import { createChecks } from "./checks";
import { drained } from "./pipeline";
import { MAPPING, readRecording } from "./recording";
import { recount } from "./recount";

/** Replays a recording twice through the running product: every number is exact the first time, and repeats the second. */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { file: { type: "string", default: "e2e/fixtures/environment.ndjson" } },
  });
  const recording = readRecording(values.file);
  const checks = createChecks("replay-exact");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-replay-exact-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const replay = () =>
      runProduct(["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url], {
        FIELDWATCH_DATA_DIR: product.dataDir,
      });

    const first = await replay();
    checks.that("the replay ends well", first.code === 0, first.code === 0 ? "" : first.output.slice(-600));
    const once = await drained(product, recording.messages);
    checks.equal("totals", once.totals, {
      messages: recording.messages,
      readings: recording.readings,
      duplicates: recording.fields - recording.readings,
      deadLetters: 0,
      devices: recording.devices,
    });
    await compareTables();
    checks.equal("twins", await twinDifferences(), []);

    const second = await replay();
    checks.that("the second replay ends well", second.code === 0, second.code === 0 ? "" : second.output.slice(-600));
    const twice = await drained(product, 2 * recording.messages);
    checks.equal("totals after the second replay", twice.totals, {
      messages: 2 * recording.messages,
      readings: recording.readings,
      duplicates: 2 * recording.fields - recording.readings,
      deadLetters: 0,
      devices: recording.devices,
    });
    await compareTables();

    async function compareTables(): Promise<void> {
      checks.equal("tables", await recount(product.connectionString()), {
        ...{
          readings: recording.readings,
          minuteCounts: recording.readings,
          hourCounts: recording.readings,
          wrongMinutes: 0,
          wrongHours: 0,
        },
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
    await product.stop();
  }
  checks.that("nothing is left running", product.tree().length === 0);
  rmSync(folder, { recursive: true, force: true });
  return checks.finish();
}
