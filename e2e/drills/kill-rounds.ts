import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { isAlive, killNow, type ProcessInfo, processOf } from "../processes";
import { freePort, type Product, runProduct, startProduct } from "../product";
import { pause, seeded, until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { drained } from "./pipeline";
import { MAPPING, type Recording, readRecording } from "./recording";
import { recount } from "./recount";

const TARGETS = ["worker", "web", "postgres", "tree"] as const;
type Target = (typeof TARGETS)[number];

/**
 * Kills the worker, the web process, the embedded PostgreSQL and the whole tree, each `--rounds` times at a random moment
 * of a replay, starts again what doesn't come back by itself, resumes the replay, and counts: nothing lost, nothing twice.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      file: { type: "string", default: "e2e/fixtures/environment.ndjson" },
      rounds: { type: "string", default: "10" },
      target: { type: "string", multiple: true, default: [...TARGETS] },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
    },
  });
  const recording = readRecording(values.file);
  const random = seeded(Number(values.seed));
  const checks = createChecks("kill-rounds");
  console.log(`${recording.messages} messages, ${recording.readings} readings; seed ${values.seed}`);
  const duration = await undisturbed(recording);
  console.log(`an undisturbed replay takes ${duration} ms`);
  for (const target of values.target as Target[]) {
    for (let round = 1; round <= Number(values.rounds); round++) {
      await play(checks, recording, target, round, Math.round(300 + random() * Math.max(duration * 0.85 - 300, 300)));
    }
  }
  return checks.finish();
}

/** Milliseconds a replay takes when nobody disturbs it. */
async function undisturbed(recording: Recording): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-kill-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    const started = Date.now();
    await runProduct(replayOf(recording, product), { FIELDWATCH_DATA_DIR: product.dataDir });
    return Date.now() - started;
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function replayOf(recording: Recording, product: Product): string[] {
  return ["replay", recording.file, ...MAPPING, "--speed", "max", "--url", product.url];
}

async function play(
  checks: Checks,
  recording: Recording,
  target: Target,
  round: number,
  moment: number,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-kill-"));
  // The same port and folder all along, as a person restarting it would have.
  const options = { dataDir: path.join(folder, "data"), port: await freePort(), env: { DEMO_DEVICES: "0" } };
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

    const before = product.tree();
    const victims = target === "tree" ? before : [processOf(before, target) ?? product.tree()[0]!];
    killNow(victims.map((one) => one.pid));
    product = await comeBack(product, options, target, before, victims);

    let attempts = 1;
    let result = await replaying;
    while (result.code !== 0 && attempts++ < 5) result = await replay();
    if (result.code !== 0)
      throw new Error(`The replay didn't end well in ${attempts} attempts:\n${result.output.slice(-1000)}`);
    const { totals } = await drained(product, recording.messages);
    const lying = await recount(product.connectionString());

    const wanted = recording.readings;
    const problems: string[] = [];
    const expect = (what: string, found: unknown, value: unknown) => {
      if (found !== value) problems.push(`${what} ${String(found)} instead of ${String(value)}`);
    };
    expect("readings", totals.readings, wanted);
    expect("deadLetters", totals.deadLetters, 0);
    if (recording.perMessage !== null)
      expect("readings + duplicates", totals.readings + totals.duplicates, recording.perMessage * totals.messages);
    for (const key of ["readings", "minuteCounts", "hourCounts"] as const)
      expect(`${key} in the tables`, lying[key], wanted);
    expect("minute rollups that differ from a recount", lying.wrongMinutes, 0);
    expect("hour rollups that differ from a recount", lying.wrongHours, 0);
    const told = `killed after ${moment} ms, ${phase} the replay; ${totals.messages} messages in the end, ${attempts} replay run(s), ${((Date.now() - started) / 1000).toFixed(1)} s`;
    checks.that(`${target} ${round}`, problems.length === 0, [told, ...problems].join("; "));
    await product.stop();
  } catch (error) {
    checks.that(`${target} ${round}`, false, `${(error as Error).message}\n${product.log().slice(-3000)}`);
    killNow(product.tree().map((one) => one.pid));
    return;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Waits until all is well again without help, or until nothing is left running; then starts it anew. */
async function comeBack(
  product: Product,
  options: Parameters<typeof startProduct>[0],
  target: Target,
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
