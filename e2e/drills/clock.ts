import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** The clock that web and worker read, apart from the machine's. */
export interface Clock {
  /** The environment that makes a role read it. */
  env(root: string): Record<string, string>;
  /** Sets the clock of these roles so far from the machine's; the others' is right. Takes effect within 50 ms. */
  set(offsets: Readonly<Partial<Record<"web" | "worker", number>>>): void;
}

/** A clock set through a file that e2e/drills/clock-preload.mjs reads in each role. */
export function createClock(file: string): Clock {
  const set: Clock["set"] = (offsets) => {
    writeFileSync(`${file}.new`, JSON.stringify(offsets));
    renameSync(`${file}.new`, file);
  };
  return {
    env(root) {
      set({});
      const preload = pathToFileURL(path.join(root, "e2e", "drills", "clock-preload.mjs")).href;
      return { NODE_OPTIONS: `--import=${preload}`, DRILL_CLOCK_FILE: file };
    },
    set,
  };
}
