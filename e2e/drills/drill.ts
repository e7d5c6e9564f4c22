import { parseArgs } from "node:util";
import { machine } from "../bench/report";
import { seeded } from "../waiting";
import { ENGINE_MODES, type EngineMode } from "./drill-engines";
import { isBad, lineOf, type Row, table } from "./rows";
import { openStage, type Stage, type StageKind } from "./stage";
import { verify } from "./verify";

/** One way to hurt the running product. */
export interface Drill {
  readonly name: string;
  readonly stage: StageKind;
  /** Breaks and mends; the load has stopped and everything works again when it resolves. @throws when it doesn't recover. */
  run(stage: Stage, context: DrillContext): Promise<DrillReport>;
}

export interface DrillContext {
  readonly short: boolean;
  /** Returns a number from 0 to 1, the same for the same seed. */
  readonly random: () => number;
  say(line: string): void;
}

export interface DrillReport {
  /** Seconds to recover, one of each fault. */
  readonly recoveries: readonly number[];
  /** Faults found, in words. */
  readonly wrong?: readonly string[];
}

export interface DrillOptions {
  readonly mode: EngineMode;
  readonly short: boolean;
  readonly seed: number;
}

/** Options every drill takes: `--engines <mode>`, `--short`, `--seed <number>`. */
export const DRILL_OPTIONS = {
  engines: { type: "string", default: "embedded" },
  short: { type: "boolean", default: false },
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
} as const;

/** @throws when the mode isn't one. */
export function readMode(text: string): EngineMode {
  const mode = ENGINE_MODES.find((one) => one === text);
  if (!mode) throw new Error(`--engines ${text}: it is one of ${ENGINE_MODES.join(", ")}`);
  return mode;
}

export function readOptions(argv: string[]): DrillOptions {
  const { values } = parseArgs({ args: argv, options: DRILL_OPTIONS });
  return { mode: readMode(values.engines), short: values.short, seed: Number(values.seed) };
}

/** Runs drills one after the other; those on the same kind of stage share it. Prints each row, then the table. @returns the exit code. */
export async function runDrills(
  drills: readonly Drill[],
  options: DrillOptions,
  before: readonly Row[] = [],
): Promise<number> {
  const rows = [...before];
  let stage: Stage | undefined;
  try {
    for (const drill of drills) {
      if (stage && stage.kind !== drill.stage) {
        await leave(stage);
        stage = undefined;
      }
      const row: Row = await runDrill(
        drill,
        options,
        async () => (stage ??= await openStage(options.mode, drill.stage)),
      );
      rows.push(row);
      if (row.wrong.length > 0 && stage) {
        console.log(`Kept for a look: ${stage.folder}`);
        await stage.close();
        stage = undefined;
      }
    }
  } finally {
    if (stage) await leave(stage);
  }
  console.log(`\n${machine()} · engines: ${options.mode}${options.short ? " · short" : ""}\n\n${table(rows)}`);
  const failed = rows.filter(isBad);
  console.log(`\n${rows.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 && rows.length > 0 ? 0 : 1;
}

async function leave(stage: Stage): Promise<void> {
  await stage.close();
  stage.remove();
}

async function runDrill(drill: Drill, options: DrillOptions, onStage: () => Promise<Stage>): Promise<Row> {
  const started = performance.now();
  console.log(`\n${drill.name} on ${options.mode} engines, seed ${options.seed}`);
  const say = (line: string) => console.log(`  ${line}`);
  const figures = { faults: 0, sent: 0, stored: 0, dead: 0, lost: 0, twice: 0 };
  let recoveries: readonly number[] = [];
  const wrong: string[] = [];
  try {
    const stage = await onStage();
    // Drills that share a stage are counted together: what the earlier ones sent must still be there.
    const sentBefore = stage.ledger.readings;
    const report = await drill.run(stage, { short: options.short, random: seeded(options.seed), say });
    recoveries = report.recoveries;
    wrong.push(...(report.wrong ?? []));
    const found = await verify(stage);
    figures.faults = recoveries.length;
    figures.sent = stage.ledger.readings - sentBefore;
    figures.stored = found.stored - sentBefore;
    figures.dead = found.deadReadings;
    figures.lost = found.lost;
    figures.twice = found.twice;
    wrong.push(...found.wrong);
    if (found.repeats > 0) say(`${found.repeats} messages came again and are counted as repeats only`);
    // Kept whole, they aren't lost; but every message a drill sends is a good one.
    for (const [reason, count] of found.dead) wrong.push(`${count} dead letters: ${reason}`);
  } catch (error) {
    wrong.push((error as Error).stack ?? String(error));
  }
  const row: Row = { drill: drill.name, ...figures, recoveries, seconds: (performance.now() - started) / 1000, wrong };
  for (const line of wrong) console.log(`  FAIL ${line}`);
  say(lineOf(row));
  return row;
}
