import { spawn } from "node:child_process";
import path from "node:path";
import { createGuard } from "./guard";
import { explainFailure, startLocalEngines } from "./local";
import { untilToldToStop } from "./until-told";

/** `npm run start:engines`: starts real engines and Fieldwatch on them; stops in reverse. Takes the arguments of `npm run engines`. */
export async function main(argv: readonly string[]): Promise<number> {
  const told = untilToldToStop().then(() => undefined);
  try {
    const engines = await startLocalEngines(argv, (line) => console.log(`  ${line}`));
    console.log(`${engines.summary}\n  Starting Fieldwatch on them. Ctrl-C stops everything; the data is kept.\n`);
    const product = startProduct(engines.env);
    const ended = await Promise.race([told, engines.ended, product.exited]);
    if (typeof ended === "string") console.error(`\n  ${ended} ended by itself: stopping everything`);
    product.stop();
    const code = await product.exited;
    await engines.stop();
    console.log("  engines stopped");
    return typeof ended === "string" ? 1 : (code ?? 1);
  } catch (error) {
    process.stderr.write(explainFailure(error));
    return 1;
  }
}

function startProduct(env: Readonly<Record<string, string>>): { exited: Promise<number | null>; stop(): void } {
  const child = spawn(process.execPath, [path.join(process.cwd(), "dist", "main.mjs"), "start"], {
    // These engines are as much for trying out as the embedded ones, so the demo fleet runs here too.
    env: { DEMO_DEVICES: "50", ...process.env, ...env },
    stdio: "inherit",
    // Its own session: Ctrl-C reaches it once, through this process.
    detached: true,
  });
  const guard = createGuard("TERM", undefined);
  if (child.pid !== undefined) guard.watch([child.pid]);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  }).finally(() => guard.end());
  return { exited, stop: () => void child.kill("SIGTERM") };
}
