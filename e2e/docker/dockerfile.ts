import { readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./compose-file";

/** One instruction of docker/Dockerfile, with the stage it belongs to. */
export interface Instruction {
  readonly stage: string;
  readonly name: string;
  /** Everything behind the name, on one line. */
  readonly rest: string;
}

/** docker/Dockerfile's instructions in order; comments left out, continued lines joined. */
export function readDockerfile(): Instruction[] {
  const text = readFileSync(path.join(ROOT, "docker/Dockerfile"), "utf8");
  const lines = text.replace(/^\s*#.*\n/gm, "").replace(/\\\n\s*/g, " ");
  let stage = "";
  return lines.split("\n").flatMap((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) return [];
    if (name === "FROM") stage = / AS (\S+)$/.exec(rest)?.[1] ?? "";
    return [{ stage, name, rest }];
  });
}

/** Returns what ENV sets in the stage that becomes the image. */
export function imageEnvironment(): Record<string, string> {
  const last = readDockerfile().at(-1)!.stage;
  const set = readDockerfile().filter(({ stage, name }) => stage === last && name === "ENV");
  return Object.fromEntries(
    set.flatMap(({ rest }) => rest.split(/\s+/).map((one) => one.split("=") as [string, string])),
  );
}

/** True if .dockerignore keeps `file` (relative to the root) out of the build. The last line that fits decides. */
export function isIgnored(file: string): boolean {
  const lines = readFileSync(path.join(ROOT, ".dockerignore"), "utf8").split("\n");
  let ignored = false;
  for (const line of lines.filter((one) => one !== "" && !one.startsWith("#"))) {
    const pattern = line.replace(/^!/, "").replace(/[.+^${}()|[\]]/g, "\\$&");
    const expression = pattern.replace(/\*\*\/|\*/g, (stars) => (stars === "*" ? "[^/]*" : "(?:.*/)?"));
    // A line that fits a folder fits all that is in it.
    if (new RegExp(`^${expression}(/.*)?$`).test(file)) ignored = !line.startsWith("!");
  }
  return ignored;
}
