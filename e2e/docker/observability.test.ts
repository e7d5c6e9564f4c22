import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { DASHBOARDS, type Panel } from "@/server/observability/metrics/dashboards";
import { METRICS } from "@/server/observability/metrics/definitions";
import { grafanaModel } from "@/server/observability/metrics/grafana";

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
const panels = DASHBOARDS.flatMap(({ panels }) => panels);
const queriesOf = ({ queries }: Panel) => queries.map(([expr]) => expr);
const alerts = rules.filter(({ alert }) => alert !== undefined);

const namesIn = (expr: string) =>
  [...expr.matchAll(/\b(?:fieldwatch|http_server|process|nodejs)[a-z0-9_:]*/g)].map(([name]) => name);
const plain = (name: string) => name.replace(/_(bucket|count|sum)$/, "");

test("rules and panels ask for metrics that there are", () => {
  const known = new Set<string>([...Object.keys(METRICS), ...rules.flatMap(({ record }) => record ?? []), "up"]);
  const isKnown = (name: string) => known.has(name) || known.has(plain(name));
  for (const expr of [...rules.map(({ expr }) => expr), ...panels.flatMap(queriesOf)])
    // The value of up's own label is none.
    expect(namesIn(expr).filter((name) => !isKnown(name) && !expr.includes(`job=~"${name}`))).toEqual([]);
  expect(alerts.length).toBeGreaterThan(10);
});

test("the dashboards show every metric, alone or by a rule that records it", () => {
  const recorded = new Map(
    rules.flatMap(({ record, expr }) => (record === undefined ? [] : [[record, expr] as const])),
  );
  const shown = panels
    .flatMap(queriesOf)
    .flatMap(namesIn)
    .flatMap((name) => [plain(name), ...(recorded.has(name) ? namesIn(recorded.get(name)!).map(plain) : [])]);
  expect(Object.keys(METRICS).filter((name) => !shown.includes(name))).toEqual([]);
});

test("panels say what they show, in units, and lie side by side without meeting", () => {
  for (const dashboard of DASHBOARDS) {
    const { panels: models, uid } = grafanaModel(dashboard);
    expect(JSON.parse(readFileSync(`docker/observability/grafana/dashboards/${uid}.json`, "utf8"))).toEqual(
      grafanaModel(dashboard),
    );
    expect(new Set(models.map(({ title, type }) => `${title} ${type}`)).size).toBe(models.length);
    const taken = new Set<string>();
    for (const { gridPos, description, targets } of models) {
      expect(description).toMatch(/^.+\.$/s);
      expect(targets.length).toBeGreaterThan(0);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
    }
  }
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
