import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { METRICS } from "@/server/observability/metrics/definitions";

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: { readonly runbook: string };
}

const FOLDER = "docker/observability/prometheus";
const read = (name: string) => readFileSync(`${FOLDER}/${name}`, "utf8");
const rulesIn = (name: string) =>
  (parse(read(name)) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
const rules = [...rulesIn("rules/recording.yml"), ...rulesIn("rules/alerts.yml")];
const alerts = rules.filter(({ alert }) => alert !== undefined);

test("rules ask for metrics that there are", () => {
  const known = new Set<string>([...Object.keys(METRICS), ...rules.flatMap(({ record }) => record ?? []), "up"]);
  const isKnown = (name: string) => known.has(name) || known.has(name.replace(/_(bucket|count|sum)$/, ""));
  for (const { expr } of rules) {
    const names = [...expr.matchAll(/\b(?:fieldwatch|http_server|process|nodejs)[a-z0-9_:]*/g)].map(([name]) => name);
    // The value of up's own label is none.
    expect(names.filter((name) => !isKnown(name) && !expr.includes(`job=~"${name}`))).toEqual([]);
  }
  expect(alerts.length).toBeGreaterThan(10);
});

test("each alert has a runbook, a test in which it fires, and one in which it doesn't", () => {
  const headings = new Set(
    [...readFileSync("docs/runbooks.md", "utf8").matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase()),
  );
  const tests = read("tests/alerts.yml");
  for (const { alert, annotations } of alerts) {
    const [file, anchor] = annotations!.runbook.split("#");
    expect([file, headings.has(anchor!)]).toEqual(["docs/runbooks.md", true]);
    expect(tests.split(`alertname="${alert}"`).length - 1, alert).toBe(2);
  }
  expect(headings.size).toBe(alerts.length);
});
