import type { EngineMode } from "./drill-engines";
import { type Checks, createChecks } from "./checks";
import { isBad, lineOf, type Row } from "./rows";
import { openStage, type Stage, type StageKind } from "./stage";

/** What a drill has sent and found, in readings. */
type Found = Pick<Row, "faults" | "sent" | "stored">;

/**
 * Runs checks on a stage of their own, closes it, and removes its files unless something was wrong: then they are kept for a look.
 * @param env settings of the product beside those of the stage.
 */
export async function checkOnStage(
  name: string,
  how: { readonly mode: EngineMode; readonly kind?: StageKind; readonly env?: Readonly<Record<string, string>> },
  work: (stage: Stage, checks: Checks) => Promise<Found>,
): Promise<Row> {
  const { mode, kind = "plain", env = {} } = how;
  const began = performance.now();
  const checks = createChecks(`${name} on ${mode} engines`);
  const stage = await openStage(mode, kind, env);
  let found: Found = { faults: 0, sent: 0, stored: 0 };
  try {
    found = await work(stage, checks);
  } catch (error) {
    checks.that("it goes through", false, (error as Error).stack ?? String(error));
  } finally {
    await stage.close();
  }
  const row: Row = {
    ...{ drill: name, ...found, dead: 0, recoveries: [] },
    ...{ lost: Math.max(0, found.sent - found.stored), twice: Math.max(0, found.stored - found.sent) },
    ...{ seconds: (performance.now() - began) / 1000, wrong: checks.failed },
  };
  if (isBad(row)) console.log(`Kept for a look: ${stage.folder}`);
  else stage.remove();
  checks.finish();
  console.log(`  ${lineOf(row)}`);
  return row;
}

/** The exit code of a drill alone; one that was left out has said so. */
export function exitCode(row: Row | undefined): number {
  return row !== undefined && isBad(row) ? 1 : 0;
}
