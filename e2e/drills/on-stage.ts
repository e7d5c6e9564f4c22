import { machine } from "../bench/report";
import type { EngineMode } from "./drill-engines";
import { type Checks, createChecks } from "./checks";
import { openStage, type Stage, type StageKind } from "./stage";

/**
 * Runs checks on a stage of their own, closes it, and removes its files unless something was wrong: then they are kept for a look.
 * @param env settings of the product beside those of the stage.
 * @returns the exit code.
 */
export async function checkOnStage(
  name: string,
  how: { readonly mode: EngineMode; readonly kind?: StageKind; readonly env?: Readonly<Record<string, string>> },
  work: (stage: Stage, checks: Checks) => Promise<void>,
): Promise<number> {
  const { mode, kind = "plain", env = {} } = how;
  const checks = createChecks(`${name} on ${mode} engines`);
  const stage = await openStage(mode, kind, env);
  try {
    await work(stage, checks);
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
  }
  if (checks.failed.length === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  console.log(`\n${machine()} · engines: ${mode}\n`);
  return checks.finish();
}
