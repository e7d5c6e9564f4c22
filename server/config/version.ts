import { readFileSync } from "node:fs";
import path from "node:path";

/** The version of this Fieldwatch. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(path.resolve("package.json"), "utf8")) as { version: string };
  return version;
}
