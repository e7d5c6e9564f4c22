import { expect, test } from "vitest";
import { partsOf } from "./advice-parts";

const shown = (fix: string, commands: string[]) =>
  partsOf(fix, commands).map(({ text, isCommand }) => (isCommand ? `[${text}]` : text));

test.each([
  ["npm run worker", ["npm run worker"], ["[npm run worker]"]],
  ["First mend Kafka: see its failing probes.", [], ["First mend Kafka: see its failing probes."]],
  ["Reach it: nc -vz k 1\nThen open the way.", ["nc -vz k 1"], ["Reach it:", "[nc -vz k 1]", "Then open the way."]],
  ["Set A=1, or B=2.", ["A=1", "B=2"], ["Set", "[A=1]", "or", "[B=2]"]],
  [
    "another folder (X=/y npm start),\nor wait.",
    ["X=/y npm start"],
    ["another folder", "[X=/y npm start]", "or wait."],
  ],
  ["Wait.", ["not in it"], ["Wait."]],
])("%s", (fix, commands, parts) => expect(shown(fix, commands)).toEqual(parts));
