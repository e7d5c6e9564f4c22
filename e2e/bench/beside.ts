import path from "node:path";
import { parseArgs } from "node:util";
import { startEngines } from "../engines/engines";
import { ROOT } from "../product";
import { type Drained, drainOnce } from "./one-drain";
import { machine, markdownTable, median, ratio } from "./report";
import { fill, openTopics } from "./telemetry-topic";

/**
 * Lets workers of several builds drain the same messages from one Kafka into one PostgreSQL, in turn: of a machine that does other work, too,
 * only what is measured side by side tells something. Folders of other builds are arguments; this one is the last column.
 */
export async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      messages: { type: "string", default: "200000" },
      rounds: { type: "string", default: "3" },
      /** Writes CPU profiles of the workers into this folder. */
      profile: { type: "string" },
    },
  });
  const builds = [...positionals.map((build) => path.resolve(build)), ROOT];
  const messages = Number(values.messages);
  const engines = await startEngines({ kafka: true, postgres: true });
  try {
    const log = await openTopics(engines);
    await fill(log, messages);
    await log.close();
    const found = builds.map((): Drained[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      // Each is the first in every other round.
      const turns = [...builds.keys()];
      for (const at of round % 2 === 0 ? turns : turns.reverse())
        found[at]!.push(await drainOnce(engines, { ...programOf(builds[at]!, values.profile), messages }));
    }
    const row = (title: string, of: (one: Drained) => number) => {
      const medians = found.map((some) => median(some.map(of)));
      const here = medians.at(-1)!;
      const cells = medians.map((one) => `${one.toFixed(1)}${one === here ? "" : ` (${ratio(here, one)})`}`);
      return [title, ...cells];
    };
    const rows = [
      row("worker CPU per million messages, s", ({ worker }) => worker),
      row("PostgreSQL CPU per million messages, s", ({ postgres }) => postgres),
      row("messages/s", ({ rate }) => rate),
    ];
    console.log(`${machine()}\n\n${markdownTable(["median (here : there)", ...builds], rows)}`);
    return 0;
  } finally {
    await engines.stop();
  }
}

function programOf(build: string, profile: string | undefined) {
  return {
    main: path.join(build, "dist", "main.mjs"),
    cwd: build,
    profile: profile && path.join(profile, build.replaceAll(path.sep, "-")),
  };
}
