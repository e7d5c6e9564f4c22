import { expect, test } from "vitest";
import { command, commandsOf, plainFix } from "./fix";

test("what can be copied is a part of the plain text", () => {
  const fix = `See: ${command("nc -vz kafka 9092")}\nThen set ${command("PORT=1")} or wait.`;
  expect(plainFix(fix)).toBe("See: nc -vz kafka 9092\nThen set PORT=1 or wait.");
  expect(commandsOf(fix)).toEqual(["nc -vz kafka 9092", "PORT=1"]);
  for (const each of commandsOf(fix)) expect(plainFix(fix)).toContain(each);
});

test("a sentence has none", () => {
  expect(commandsOf("First mend Kafka: see its failing probes.")).toEqual([]);
});
