import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { killNow } from "../processes";
import { runProduct, startProduct } from "../product";
import { pause, until } from "../waiting";
import { createChecks } from "./checks";
import { readOptions } from "./drill";
import type { EngineMode } from "./drill-engines";
import { createLedger, type SentMessage } from "./ledger";
import { startLoad, USUAL_LOAD } from "./load";
import { now, recovered } from "./recovery";
import { isBad, type Row } from "./rows";
import { openStage, type Stage } from "./stage";
import { messageKey, storedSamples, withDatabase } from "./stored";
import { verify } from "./verify";

/** Modes in which `npm run backup` holds all there is, but for what Kafka keeps. */
const RESTORABLE: readonly EngineMode[] = ["embedded", "kafka"];

export async function main(argv: string[]): Promise<number> {
  const { mode, short } = readOptions(argv);
  const row = await backupRestore({ mode, short });
  return row === null || !isBad(row) ? 0 : 1;
}

/** Bytes of all files below a folder, in MB. */
function megabytes(folder: string): number {
  const sizes = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(path.join(entry.parentPath, entry.name)).size);
  return sizes.reduce((sum, size) => sum + size, 0) / 1e6;
}

/** The messages the readings of which are stored, once all wanted are or a minute has passed. */
async function untilStored(stage: Stage, wanted: readonly string[]): Promise<ReadonlySet<string>> {
  let stored: ReadonlySet<string> = new Set();
  const all = async () => {
    const samples = await withDatabase(stage, storedSamples);
    stored = new Set(samples.map(({ device, time }) => messageKey(device, time)));
    return wanted.every((key) => stored.has(key));
  };
  await until(all, { timeoutMs: 60_000, everyMs: 200, what: "what was backed up to be stored" }).catch(() => {});
  return stored;
}

/**
 * A backup is made under load, then everything is killed and its data folder is gone. Restored into a new one, nothing older than the
 * backup is missing, every number adds up, and it goes on taking data.
 * @returns null when it isn't for these engines, which it says.
 */
export async function backupRestore({ mode, short }: { mode: EngineMode; short: boolean }): Promise<Row | null> {
  if (!RESTORABLE.includes(mode)) {
    console.log(`\nbackup-restore: not run on ${mode} engines, which have tools of their own (docs/backup.md)`);
    return null;
  }
  const began = performance.now();
  const checks = createChecks(`backup-restore on ${mode} engines`);
  const stage = await openStage(mode, "plain");
  const env = { DEMO_DEVICES: "0", ...stage.engines.env };
  const command = (dataDir: string, argv: string[]) => runProduct(argv, { ...env, FIELDWATCH_DATA_DIR: dataDir });
  // All that was acknowledged, and what of it the restored stores have to know.
  const sent = new Map<string, SentMessage>();
  const known = createLedger();
  const note = (message: SentMessage) => void sent.set(messageKey(message.device, message.time), message);
  const figures = { sent: 0, stored: 0, dead: 0, lost: 0, twice: 0 };
  const recoveries: number[] = [];
  let restored: Stage | undefined;
  try {
    const load = startLoad(
      { ...stage, ledger: { ...createLedger(), acknowledge: note } },
      { prefix: "before", devices: 20, perSecond: USUAL_LOAD },
    );
    await recovered(stage, load, now());
    await pause(short ? 500 : 30_000);

    const backups = path.join(stage.folder, "backups");
    const older = [...sent.keys()];
    const made = await command(stage.product.dataDir, ["backup", "--to", backups]);
    const [name = ""] = existsSync(backups) ? readdirSync(backups) : [];
    const backup = path.join(backups, name);
    checks.that("a backup is made while it runs", name !== "" && made.code === 0);
    console.log(made.output);
    await pause(300);
    await load.stop();
    const pids = stage.product.tree().map(({ pid }) => pid);
    killNow(pids);
    await stage.product.exited;
    const killed = now();

    const dataDir = path.join(stage.folder, "restored");
    const back = await command(dataDir, ["restore", "--from", backup]);
    checks.that("it is restored into a new folder", back.code === 0);
    console.log(back.output);
    const product = await startProduct({ dataDir, env });
    restored = {
      ...stage,
      product,
      ledger: known,
      connectionString: () => product.connectionString(),
      close: () => product.stop(),
    };
    await product.ready();
    const verified = await command(dataDir, ["audit-verify"]);
    checks.that("the audit record is as it was sealed", verified.code === 0, verified.output.trim());

    // With Kafka the messages since come again by themselves.
    const wanted = mode === "kafka" ? [...sent.keys()] : older;
    const stored = await untilStored(restored, wanted);
    const lost = wanted.filter((key) => !stored.has(key));
    checks.that(
      "nothing older than the backup is missing",
      lost.length === 0,
      `${lost.length} lost ${lost.slice(0, 3).join(", ")}`,
    );
    for (const [key, message] of sent) if (stored.has(key)) known.acknowledge(message);
    const after = startLoad(restored, { prefix: "after", devices: 20, perSecond: USUAL_LOAD });
    recoveries.push(await recovered(restored, after, killed));
    await after.stop();

    const found = await verify(restored);
    for (const line of found.wrong) checks.that("every number adds up", false, line);
    checks.that("no acknowledged message became a dead letter", found.dead.size === 0, JSON.stringify([...found.dead]));
    Object.assign(figures, {
      ...{ sent: known.readings, stored: found.stored, dead: found.deadReadings, twice: found.twice },
      lost: found.lost + lost.length,
    });
    console.log(
      `  ${older.length} messages before the backup, ${sent.size - older.length} during and after it, of which ${stored.size - older.length} are in it; the backup has ${megabytes(backup).toFixed(1)} MB, the data folder ${megabytes(dataDir).toFixed(0)} MB`,
    );
  } catch (error) {
    checks.that("it runs to its end", false, (error as Error).stack ?? String(error));
  } finally {
    if (restored) await restored.close();
    await stage.close();
    if (checks.failed.length === 0) stage.remove();
    else console.log(`Kept for a look: ${stage.folder}`);
  }
  checks.finish();
  const seconds = (performance.now() - began) / 1000;
  return { drill: "backup-restore", faults: 1, ...figures, recoveries, seconds, wrong: [...checks.failed] };
}
