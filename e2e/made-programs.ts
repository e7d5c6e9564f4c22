import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";

/** A program that is there, or why it isn't. */
export type Found = { readonly program: string } | { readonly missing: string };

/** The folder in which programs stay that were made for scripts. */
export const cache = () => {
  const folder = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "fieldwatch");
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** Makes a program in a folder that is gone afterwards, and puts it into the cache. */
export function madeIn(
  name: string,
  make: (folder: string, run: (command: string, args: readonly string[]) => void) => string,
): Found {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-made-"));
  try {
    const made = make(folder, (command, args) => {
      console.error(`${command} ${args.join(" ")}`);
      const { status, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
      if (status !== 0)
        throw new Error(`${command} ${args.join(" ")}: ${stderr?.trim().split("\n").at(-1) ?? "not there"}`);
    });
    const program = path.join(cache(), name);
    copyFileSync(made, program);
    return { program };
  } catch (error) {
    return { missing: (error as Error).message };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A program made by steps of `go`, the last of which writes it to `made`, in a module of its own, through the Go module proxy; it stays in the cache.
 * @param options `onlyBy`: it isn't made now, for that drill makes it; `main`: the module's own source
 */
export function fromGo(
  name: string,
  { onlyBy = null, main }: { readonly onlyBy?: string | null; readonly main?: string },
  steps: readonly (readonly string[])[],
): Found {
  const program = path.join(cache(), name);
  if (existsSync(program)) return { program };
  if (onlyBy !== null) return { missing: `\`npm run drill -- ${onlyBy}\` builds one, with Go` };
  return madeIn(name, (folder, run) => {
    writeFileSync(path.join(folder, "go.mod"), "module fieldwatch.invalid/made\n\ngo 1.25\n");
    if (main !== undefined) writeFileSync(path.join(folder, "main.go"), main);
    for (const step of steps) run("go", step);
    return path.join(folder, "made");
  });
}

/** Takes a program out of a package of Debian, and puts it into the cache under the package's name; nothing is installed. */
export function fromDebian(name: string, file: string): Found {
  return madeIn(name, (folder, run) => {
    run("apt-get", ["download", name]);
    const [packed = ""] = readdirSync(folder).filter((one) => one.endsWith(".deb"));
    run("dpkg-deb", ["-x", packed, "unpacked"]);
    return path.join(folder, "unpacked", file);
  });
}

/** The folder of programs from PyPI, with an exact version each: a virtual environment of Python's in the user's cache, made once. */
export function fromPyPI(
  name: string,
  packages: readonly string[],
): { readonly bin: string } | { readonly missing: string } {
  const folder = path.join(cache(), name);
  const made = path.join(folder, ".made");
  const bin = path.join(folder, "bin");
  if (existsSync(made) && readFileSync(made, "utf8") === packages.join("\n")) return { bin };
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ["python3", ["-m", "venv", folder]],
    [path.join(bin, "pip"), ["install", "--quiet", ...packages]],
  ];
  for (const [command, args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (status !== 0) return { missing: `${command}: ${error?.message ?? stderr.trim().split("\n").at(-1) ?? ""}` };
  }
  writeFileSync(made, packages.join("\n"));
  return { bin };
}
