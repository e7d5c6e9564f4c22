// The browser journeys on the built product. Arguments go to vitest: `npm run journeys -- --reporter=json`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { findBrowser } from "./browser.mjs";

const root = path.resolve(import.meta.dirname, "../..");
if (!existsSync(path.join(root, "dist", "main.mjs"))) {
  console.error("There is no build to journey through. Run `npm run build` first.");
  process.exit(1);
}
const browser = findBrowser();
console.log(`Journeys in ${browser.executablePath} (from ${browser.from})`);
const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
const child = spawn(
  process.execPath,
  [vitest, "run", "--config", "e2e/journeys/vitest.config.ts", ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, JOURNEY_BROWSER: JSON.stringify(browser) },
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
