// Runs before `npm start`, `npm test` and `npm run replay`: installs and builds what is missing or out of date.
// This file must be readable for every Node that knows modules, to tell an old one what is wrong: nothing newer than 2018.
import process from "process";

const LEAST = [20, 19];
const found = process.versions.node.split(".").map(Number);

if (found[0] < LEAST[0] || (found[0] === LEAST[0] && found[1] < LEAST[1])) {
  process.stderr.write(
    "\n  Fieldwatch can't start: this Node is too old\n\n" +
      "  It is Node " +
      process.versions.node +
      "; Fieldwatch needs " +
      LEAST.join(".") +
      " or later.\n\n" +
      "  Fix: install the current LTS release from https://nodejs.org, or: nvm install --lts\n\n",
  );
  process.exit(1);
}

import("./boot/setup-steps.mjs")
  .then((steps) => steps.setUp({ quiet: process.argv.includes("--quiet") }))
  .catch((error) => {
    process.stderr.write("\n  Fieldwatch can't be set up: " + (error.expected ? error.message : error.stack) + "\n\n");
    process.exit(1);
  });
