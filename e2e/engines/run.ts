import { explainFailure, startLocalEngines } from "./local";
import { untilToldToStop } from "./until-told";

/** `npm run engines`: starts real engines, prints the variables that make Fieldwatch use them, and waits for Ctrl-C. */
export async function main(argv: readonly string[]): Promise<number> {
  const told = untilToldToStop().then(() => undefined);
  try {
    const engines = await startLocalEngines(argv, (line) => console.log(`  ${line}`));
    console.log(`${engines.summary}\n  Copy these lines into another terminal and start Fieldwatch there: npm start\n`);
    console.log("  Ctrl-C stops the engines; their data is kept.");
    const ended = await Promise.race([told, engines.ended]);
    console.log(ended === undefined ? "\n  stopping" : `\n  ${ended} ended by itself: stopping the others`);
    await engines.stop();
    console.log("  stopped");
    return ended === undefined ? 0 : 1;
  } catch (error) {
    process.stderr.write(explainFailure(error));
    return 1;
  }
}
