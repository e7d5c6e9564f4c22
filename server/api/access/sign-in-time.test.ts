import { expect, test, vi } from "vitest";
import { hashPassword } from "@/server/access/passwords";
import { createApiRig, JSON_TYPE } from "@/server/testing/api-rig";

vi.mock("node:crypto", async (original) =>
  (await import("@/server/testing/lighter-scrypt")).withLighterScrypt(await original()),
);

const rig = createApiRig();
const PAIRS = 30;

/** The time one wrong guess takes, in milliseconds, with no guesses before it. */
async function timeOf(email: string): Promise<number> {
  await rig.owner.query("TRUNCATE sign_in_failure");
  const request = new Request("http://here/api", {
    method: "POST",
    headers: { ...JSON_TYPE, "x-forwarded-for": "10.0.0.1" },
    body: JSON.stringify({ email, password: "not the right one" }),
  });
  const since = performance.now();
  expect((await rig.api.handle("signIn", request, {})).status).toBe(401);
  return performance.now() - since;
}

/** The two-sided p of Mann and Whitney's test that two samples come from one distribution, by the normal approximation. */
function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const wins = a.reduce((sum, x) => sum + b.reduce((won, y) => won + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0);
  const [mean, deviation] = [
    (a.length * b.length) / 2,
    Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12),
  ];
  return 2 * (1 - normal(Math.abs(wins - mean) / deviation));
}

/** The standard normal distribution, to 1e-7 (Abramowitz and Stegun 26.2.17). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153].reduce(
    (sum, c) => (sum + c) * t,
    0,
  );
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

test("the measure tells a tenth more apart, and takes the same for the same", () => {
  const sample = (shift: number) => Array.from({ length: PAIRS }, (_, i) => 100 + ((i * 7) % PAIRS) / 2 + shift);
  expect(mannWhitney(sample(0), sample(0))).toBeCloseTo(1, 6);
  expect(mannWhitney(sample(0), sample(10))).toBeLessThan(0.001);
});

test(
  "wrong guesses for known and unknown accounts can't be told apart by their time",
  { timeout: 240_000 },
  async () => {
    await rig.owner.query("INSERT INTO account (name, email, password) VALUES ('Ada', 'ada@example.com', $1)", [
      await hashPassword("the right one"),
    ]);
    for (let i = 0; i < 3; i++) await timeOf("warm@example.com");
    const found: number[] = [];
    // One series in a hundred differs by chance alone; three in a row don't, unless there is something to be told.
    while (found.length < 3 && !found.some((p) => p > 0.01)) {
      const [known, unknown]: [number[], number[]] = [[], []];
      for (let i = 0; i < PAIRS; i++) {
        const one = async () => known.push(await timeOf("ada@example.com"));
        const other = async () => unknown.push(await timeOf(`nobody-${i}@example.com`));
        // Each goes first as often as the other.
        for (const ask of i % 2 === 0 ? [one, other] : [other, one]) await ask();
      }
      found.push(mannWhitney(known, unknown));
    }
    expect(found.at(-1), `p of ${found.length} series: ${found.join(", ")}`).toBeGreaterThan(0.01);
  },
);
