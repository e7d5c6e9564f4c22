import { expect, test } from "vitest";
import { alertsAnswer } from "@/server/contracts/alerts";
import { alertRule } from "@/server/contracts/rules";
import { whyAnswer } from "@/server/contracts/why";
import { createApiRig, JSON_TYPE, read, refused } from "@/server/testing/api-rig";
import { until } from "@/server/testing/until";

const rig = createApiRig();
const MIN = 60_000;

const make = (name: string, spec: object) =>
  read(
    alertRule,
    rig.api.handle(
      "addRule",
      new Request("http://here/api", { method: "POST", body: JSON.stringify({ name, spec }), headers: JSON_TYPE }),
      {},
    ),
  );

async function send(device: string, readings: readonly (readonly [time: number, value: number])[]): Promise<void> {
  const body = readings.map(([time, t]) => ({ device, time: new Date(time).toISOString(), readings: { t } }));
  expect((await rig.post(JSON.stringify(body))).status).toBe(202);
  await until(async () => {
    const { rows } = await rig.owner.query(`SELECT FROM reading WHERE device = $1 AND time = $2`, [
      device,
      new Date(readings.at(-1)![0]),
    ]);
    return rows.length === 1;
  });
}

const clock = (time: number) => new Date(time).toISOString().slice(11, 16);

test("says in one sentence why, and the same for programs", async () => {
  const conditions = [{ metric: "t", is: "above", warning: 80 }];
  const rule = await make("hot", { kind: "condition", conditions, forMs: 5 * MIN, holds: 90_000 });
  const start = Math.floor(Date.now() / MIN) * MIN - 20 * MIN;
  await send("d-1", [
    [start, 85],
    [start + MIN, 86],
    [start + 2 * MIN, 74],
  ]);
  const asked = `rule=${rule.id}&device=d-1&at=${new Date(start).toISOString()}`;
  const why = await read(whyAnswer, rig.get("explainAlert", {}, asked));
  expect(why).toMatchObject({
    sentence: `t was above 80 for 2 min of the 5 min that it takes, then 74 at ${clock(start + 2 * MIN)}.`,
    reason: {
      ...{ kind: "too-short", at: new Date(start + 2 * MIN).toISOString() },
      ...{ numbers: { lastedMs: 120_000, neededMs: 300_000, value: 74 } },
      ...{ times: { since: new Date(start).toISOString(), until: new Date(start + 2 * MIN).toISOString() } },
    },
    rule: { id: rule.id, name: "hot", version: 1 },
    ...{ device: "d-1", metric: "t", alert: null },
  });
  expect(why.steps.map(({ words }) => words)).toEqual(["t was above 80", "Not any more: t was 74"]);

  const now = Date.now();
  await send(
    "d-1",
    Array.from({ length: 11 }, (_, i) => [now - (10 - i) * 30_000, 90] as const),
  );
  await until(async () => (await read(alertsAnswer, rig.get("listAlerts"))).items.length === 1);
  const fired = await read(whyAnswer, rig.get("explainAlert", {}, `rule=${rule.id}&device=d-1&zone=Asia/Kolkata`));
  expect(fired.reason.kind).toBe("fired");
  expect(fired.alert).toBe((await read(alertsAnswer, rig.get("listAlerts"))).items[0]!.id);
});

test("refuses what can't be asked, saying what and where", async () => {
  const rule = await make("silent", { kind: "silence" });
  const ask = (query: string) => refused(rig.get("explainAlert", {}, query));
  expect(await ask("rule=99&device=d-1")).toMatchObject({ kind: "not-found", detail: "There is no alert rule 99." });
  expect(await ask(`rule=${rule.id}&device=d-9`)).toMatchObject({
    kind: "not-found",
    detail: 'There is no device "d-9".',
  });
  const wrong = [
    ["device=d-1", "rule"],
    [`rule=${rule.id}`, "device"],
    ["rule=1&device=d-1&at=yesterday", "at"],
    ["rule=1&device=d-1&at=2026-01-01T00:00:00Z&from=2026-01-01T00:00:00Z", "at"],
    ["rule=1&device=d-1&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"],
    ["rule=1&device=d-1&from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", "from"],
    ["rule=1&device=d-1&zone=Nowhere", "zone"],
    ["rule=1&device=d-1&at=9000-01-01T00:00:00Z", "at"],
    ["rule=1&device=d-1&from=9000-01-01T00:00:00Z&to=9000-01-01T01:00:00Z", "from"],
  ] as const;
  for (const [query, at] of wrong) expect((await ask(query)).errors, query).toMatchObject([{ at }]);
});

test("of a rule about the pipeline it takes no device, and says how that stands now", async () => {
  const rule = await make("disk", { kind: "pipeline", measure: "freeDiskPercent", limit: 0.001 });
  const why = await read(whyAnswer, rig.get("explainAlert", {}, `rule=${rule.id}`));
  expect(why).toMatchObject({ device: null, metric: null, alert: null, reason: { kind: "within-limit" } });
  expect(why.sentence).toMatch(
    /^[0-9.]+ % of the disk is free now; it fires when less than 0.001 % of the disk is free/,
  );
  expect(why.figures).toMatchObject([{ subject: "", phase: "normal", since: null, firesAt: null }]);
});
