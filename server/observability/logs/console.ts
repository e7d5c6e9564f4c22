import { format, stripVTControlCharacters } from "node:util";
import type { Logger } from "../logger";

const MOST_CHARACTERS = 500;
/** What Next says besides warnings and errors are notes to who develops pages. */
const LEVELS = { log: "debug", info: "debug", debug: "debug", warn: "warn", error: "error" } as const;

/** Lets what libraries say by the console be lines of the log like all others. @returns what gives the console back */
export function captureConsole(logger: Logger): () => void {
  const names = Object.keys(LEVELS) as (keyof typeof LEVELS)[];
  const before = names.map((name) => [name, console[name]] as const);
  for (const name of names)
    console[name] = (...said: unknown[]) => {
      const err = said.find((one) => one instanceof Error);
      const words = format(...said.filter((one) => one !== err));
      const text = stripVTControlCharacters(words).trim().slice(0, MOST_CHARACTERS);
      logger[LEVELS[name]](
        { ...(err !== undefined && { err }), ...(text !== "" && { said: text }) },
        "the page server",
      );
    };
  return () => {
    for (const [name, speak] of before) console[name] = speak;
  };
}
