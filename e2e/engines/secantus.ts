import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { ENGINES_DIR, EnginesMissing } from "./java";

const run = promisify(execFile);

/** SecantusDB's packages need this Python 3. */
const LEAST_MINOR = 11;

const LIST = path.join(process.cwd(), "e2e", "engines", "secantus.txt");

/** The command that starts SecantusDB. */
export interface Secantus {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Finds Python, and fetches SecantusDB with pip if it isn't there yet (once, 120 MB), below `.engines`. Safe when several processes do it at once.
 * @param say told what takes long.
 * @throws EnginesMissing when Python is missing or too old, or pip can't fetch.
 */
export async function prepareSecantus(say: (line: string) => void = () => {}): Promise<Secantus> {
  const program = "python3";
  const version = await run(program, ["-c", "import sys; print(sys.version_info.minor)"]).then(
    ({ stdout }) => Number(stdout),
    () => undefined,
  );
  if (version === undefined) throw missing("no Python", `There is no Python (the program "${program}" doesn't run).`);
  if (version < LEAST_MINOR)
    throw missing("Python is too old", `Python 3.${version} is installed; it needs 3.${LEAST_MINOR} or later.`);
  const hash = createHash("sha256").update(readFileSync(LIST)).update(`3.${version}`).digest("hex").slice(0, 12);
  const libs = path.join(ENGINES_DIR, `secantus-${hash}`);
  if (!existsSync(libs)) await fetchPackages(program, libs, say);
  return { program, args: ["-m", "secantus"], env: { PYTHONPATH: libs, PYTHONDONTWRITEBYTECODE: "1" } };
}

/** Makes `libs` whole or not at all. */
async function fetchPackages(program: string, libs: string, say: (line: string) => void): Promise<void> {
  say("fetching SecantusDB with pip (once, 120 MB)");
  const unfinished = `${libs}.new-${process.pid}`;
  mkdirSync(ENGINES_DIR, { recursive: true });
  try {
    // The list is all of it, so that the same is fetched every time.
    const args = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--only-binary",
      ":all:",
      "--target",
      unfinished,
      "-r",
      LIST,
    ];
    await run(program, args, { maxBuffer: 2 ** 26 });
    renameSync(unfinished, libs);
  } catch (error) {
    // Another process was first: its folder holds the same.
    if (existsSync(libs)) return;
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw missing("pip could not fetch it", (stderr.trim() || message).split("\n").slice(0, 8).join("\n"));
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function missing(short: string, why: string): EnginesMissing {
  return new EnginesMissing(
    `SecantusDB can't be started here: ${short}`,
    why,
    `Install Python 3.${LEAST_MINOR} or later with pip:\n  Debian, Ubuntu   apt-get install -y python3 python3-pip`,
  );
}
