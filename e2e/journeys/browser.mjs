// Finds a Chromium for the journeys: $CHROMIUM_PATH, then one of the system, then the one that comes as an npm package.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const SYSTEM = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** @returns {{ executablePath: string, env: Record<string, string>, from: string }} */
export function findBrowser() {
  const given = process.env.CHROMIUM_PATH;
  if (given) {
    if (!existsSync(given)) throw new Error(`CHROMIUM_PATH names ${given}, which isn't there.`);
    return { executablePath: given, env: {}, from: "CHROMIUM_PATH" };
  }
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const system = SYSTEM.flatMap((name) => folders.map((folder) => path.join(folder, name))).concat(MACOS);
  const found = system.find((file) => existsSync(file));
  if (found) return { executablePath: found, env: {}, from: "the system" };
  return unpackFromNpm();
}

function unpackFromNpm() {
  if (process.platform !== "linux") throw new Error("No Chromium found. Install one, or set CHROMIUM_PATH.");
  const version = createRequire(import.meta.url)("../../package.json").devDependencies["@sparticuz/chromium"];
  const folder = path.join(tmpdir(), `fieldwatch-chromium-${version}`);
  mkdirSync(folder, { recursive: true });
  // It unpacks into TMPDIR, and brings its own system libraries only where it believes to run on Lambda.
  const code = `import c from "@sparticuz/chromium"; console.log(await c.executablePath())`;
  const executablePath = execFileSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: import.meta.dirname,
    env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs20.x" },
    encoding: "utf8",
  }).trim();
  // The package's own list of fonts names folders of Lambda alone: without any font all text is invisible.
  const fonts = path.join(folder, "fonts.conf");
  const places = [path.join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"];
  const list = places.map((place) => `<dir>${place}</dir>`).join("");
  writeFileSync(
    fonts,
    `<?xml version="1.0"?><fontconfig>${list}<cachedir>${folder}/fonts-cache</cachedir></fontconfig>`,
  );
  const env = { LD_LIBRARY_PATH: path.join(folder, "al2023", "lib"), FONTCONFIG_FILE: fonts };
  return { executablePath, env, from: "npm (@sparticuz/chromium)" };
}
