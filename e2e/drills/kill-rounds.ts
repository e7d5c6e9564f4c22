import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { isAlive, killNow, type ProcessInfo, processOf } from "../processes";
import { freePort, type Product, runProduct, startProduct } from "../product";
import { pause, seeded, until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { DRILL_OPTIONS, readMode } from "./drill";
import { type EngineMode, startDrillEngines } from "./drill-engines";
import { drained } from "./pipeline";
import { MAPPING, type Recording, readRecording } from "./recording";
import { recount } from "./recount";
import { replayExact } from "./replay-exact";
import { isBad, type Row } from "./rows";

const FILE = "e2e/fixtures/environment.ndjson";

/** tree: every process of the product. kafka: only where there is one. */
const TARGETS = ["worker", "web", "postgres", "kafka", "tree"] as const;
export type Target = (typeof TARGETS)[number];

export interface KillRounds {
  readonly mode: EngineMode;
  readonly file: string;
  readonly rounds: number;
  readonly targets: readonly Target[];
  readonly seed: number;
}

/** The figures and checks that a round ends with. */
interface Tally {
  readonly checks: Checks;
  sent: number;
  stored: number;
  lost: number;
  twice: number;
  readonly recoveries: number[];
}

export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      ...DRILL_OPTIONS,
      file: { type: "string", default: FILE },
      rounds: { type: "string" },
      target: { type: "string", multiple: true, default: [...TARGETS] },
    },
  });
  const rows = await killRounds({
    mode: readMode(values.engines),
    file: values.file,
    rounds: Number(values.rounds ?? (values.short ? 1 : 10)),
    targets: values.target as Target[],
    seed: Number(values.seed),
  });
  return rows.some(isBad) ? 1 : 0;
}

/**
 * Replays a recording undisturbed, which is replay-exact, and learns how long that takes. Then kills the worker, the web process, PostgreSQL,
 * Kafka and the whole tree, each so many times at a random moment of a replay, starts again what doesn't come back by itself, resumes the
 * replay, and counts: nothing lost, nothing twice. @returns the rows of replay-exact and of the kills.
 */
export async function killRounds({ mode, file, rounds, targets, seed }: KillRounds): Promise<Row[]> {
  const recording = readRecording(file);
  const random = seeded(seed);
  const checks = createChecks(`kill-rounds on ${mode} engines`);
  console.log(`${recording.messages} messages, ${recording.readings} readings; seed ${seed}`);
  const exact = await replayExact(mode, file);
  const began = performance.now();
  const duration = exact.replayMs;
  console.log(`an undisturbed replay takes ${duration} ms`);
  const tally: Tally = { checks, sent: 0, stored: 0, lost: 0, twice: 0, recoveries: [] };
  for (const target of targets) {
    if (target === "kafka" && mode !== "real" && mode !== "kafka") continue;
    for (let round = 1; round <= rounds; round++) {
      const moment = Math.round(300 + random() * Math.max(duration * 0.85 - 300, 300));
      await play(tally, recording, mode, target, round, moment);
    }
  }
  checks.finish();
  const { sent, stored, lost, twice, recoveries } = tally;
  const seconds = (performance.now() - began) / 1000;
  const wrong = [...checks.failed];
  const kills: Row = {
    drill: "kill-rounds",
    faults: recoveries.length,
    sent,
    stored,
    dead: 0,
    lost,
    twice,
    recoveries,
    seconds,
    wrong,
  };
  return [exact, kills];
}

function replayOf(recording: Recording, product: Product): string[] {
  return ["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url];
}

async function play(
  tally: Tally,
  recording: Recording,
  mode: EngineMode,
  target: Target,
  round: number,
  moment: number,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-kill-"));
  const engines = await startDrillEngines(mode);
  // The same port and folder all along, as a person restarting it would have.
  const env = { DEMO_DEVICES: "0", ...engines.env };
  const options = { dataDir: path.join(folder, "data"), port: await freePort(), env };
  const { checks } = tally;
  let product = await startProduct(options);
  try {
    await product.ready();
    const args = replayOf(recording, product);
    const replay = () => runProduct(args, { FIELDWATCH_DATA_DIR: options.dataDir });
    const started = Date.now();
    let under = "during";
    const replaying = replay().finally(() => (under = "after"));
    await pause(moment);
    const phase = under;

    const killed = Date.now();
    const outside = target === "postgres" || target === "kafka" ? engines[target] : undefined;
    if (outside) {
      await outside.kill();
      await outside.start();
      await product.ready();
    } else if (target !== "kafka") {
      const before = product.tree();
      const victims = target === "tree" ? before : [processOf(before, target) ?? product.tree()[0]!];
      killNow(victims.map((one) => one.pid));
      product = await comeBack(product, options, target, before, victims);
    }
    tally.recoveries.push((Date.now() - killed) / 1000);

    let attempts = 1;
    let result = await replaying;
    while (result.code !== 0 && attempts++ < 5) result = await replay();
    if (result.code !== 0)
      throw new Error(`The replay didn't end well in ${attempts} attempts:\n${result.output.slice(-1000)}`);
    const { totals } = await drained(product, recording.messages);
    const lying = await recount(engines.postgres?.url ?? product.connectionString());

    const wanted = recording.readings;
    tally.sent += wanted;
    tally.stored += lying.readings;
    tally.lost += Math.max(0, wanted - lying.readings);
    tally.twice += Math.max(0, lying.readings - wanted, totals.readings - wanted);
    const problems: string[] = [];
    const expect = (what: string, found: unknown, value: unknown) => {
      if (found !== value) problems.push(`${what} ${String(found)} instead of ${String(value)}`);
    };
    expect("readings", totals.readings, wanted);
    expect("deadLetters", totals.deadLetters, 0);
    if (recording.perMessage !== null)
      expect("readings + duplicates", totals.readings + totals.duplicates, recording.perMessage * totals.messages);
    // A recording sent again brings the same values.
    expect("conflicts", totals.conflicts, 0);
    for (const key of ["readings", "minuteCounts", "hourCounts"] as const)
      expect(`${key} in the tables`, lying[key], wanted);
    expect("minute rollups that differ from a recount", lying.wrongMinutes, 0);
    expect("hour rollups that differ from a recount", lying.wrongHours, 0);
    problems.push(...lying.faults);
    const told = `killed after ${moment} ms, ${phase} the replay; ${totals.messages} messages in the end, ${attempts} replay run(s), ${((Date.now() - started) / 1000).toFixed(1)} s`;
    checks.that(`${target} ${round}`, problems.length === 0, [told, ...problems].join("; "));
    await product.stop();
  } catch (error) {
    checks.that(`${target} ${round}`, false, `${(error as Error).message}\n${product.log().slice(-3000)}`);
    killNow(product.tree().map((one) => one.pid));
    return;
  } finally {
    await engines.stop();
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Waits until all is well again without help, or until nothing is left running; then starts it anew. */
export async function comeBack(
  product: Product,
  options: Parameters<typeof startProduct>[0],
  target: Exclude<Target, "kafka">,
  before: readonly ProcessInfo[],
  victims: readonly ProcessInfo[],
): Promise<Product> {
  const replaced = () => {
    const role = target === "tree" ? undefined : processOf(product.tree(), target);
    return role !== undefined && !victims.some((one) => one.pid === role.pid);
  };
  await until(() => product.hasExited() || replaced(), {
    timeoutMs: 60_000,
    what: `the ${target} to come back, or all to end`,
  });
  if (product.hasExited()) {
    await until(() => before.every((one) => !isAlive(one.pid)), {
      timeoutMs: 15_000,
      what: "nothing to be left running",
    }).catch((error: unknown) => {
      const left = before.filter((one) => isAlive(one.pid)).map((one) => `${one.pid} ${one.command.slice(0, 120)}`);
      throw new Error(`${(error as Error).message} Left: ${left.join("; ")}`);
    });
    const again = await startProduct(options);
    await again.ready();
    return again;
  }
  await product.ready();
  return product;
}
