import { expect, test } from "vitest";
import { DEVICE_CHECKS, type Flag } from "./checks";
import { newDevice, stepDevice } from "./device-checks";
import { scoreOf } from "./score";
import { DEFAULT_LIMITS, newSeries, stepSeries } from "./series-checks";

const BEGIN = Date.UTC(2026, 10, 23);
const EVERY = 30_000;
const COUNT = 2880;
const LIMITS = { ...DEFAULT_LIMITS, min: 0, max: 40 };
const KINDS = ["missing", "out of range", "again", "stuck", "late"] as const;

/** The score of a day of a series in which a share of the readings has a defect. */
function scoreWith(kind: (typeof KINDS)[number], share: number): number {
  const [device, series] = [newDevice(), newSeries()];
  const flags = new Map<string, Flag<never> & { count: number }>();
  const note = (flag: Flag<never>) => {
    const key = `${flag.check} ${flag.from}`;
    flags.set(key, { ...flag, count: (flags.get(key)?.count ?? 0) + 1 });
  };
  const counts = { received: 0, late: 0, repeats: 0, conflicts: 0 };
  const from = Math.floor(COUNT * 0.3);
  const isBad = (i: number) => i >= from && i < from + share * COUNT;
  for (let i = 0; i < COUNT; i++) {
    const time = BEGIN + i * EVERY;
    const good = 20 + 5 * Math.sin(i / 100) + Math.sin(i * 1.7);
    if (isBad(i) && kind === "missing") continue;
    counts.received++;
    if (isBad(i) && kind === "again") counts.repeats++;
    if (isBad(i) && kind === "late") {
      counts.late++;
      continue;
    }
    const value = !isBad(i) ? good : kind === "out of range" ? 60 + good : kind === "stuck" ? 21.5 : good;
    if (stepDevice(device, time, time + 50, note as never)) stepSeries(series, 0, time, value, LIMITS, note as never);
  }
  const told = [...flags.values()].filter(({ check }) => !(check in DEVICE_CHECKS));
  const { score } = scoreOf({
    from: BEGIN,
    to: BEGIN + COUNT * EVERY,
    received: counts.received,
    gapMs: EVERY,
    flags: told,
    device: counts,
  });
  return score!;
}

/** Spearman's rank correlation. */
function spearman(pairs: readonly (readonly [number, number])[]): number {
  const ranks = (of: 0 | 1) => {
    const order = pairs.map((_, i) => i).sort((a, b) => pairs[a]![of] - pairs[b]![of]);
    const rank = new Array<number>(pairs.length);
    order.forEach((i, place) => (rank[i] = place));
    return rank;
  };
  const [a, b] = [ranks(0), ranks(1)];
  const n = pairs.length;
  return 1 - (6 * a.reduce((all, rank, i) => all + (rank - b[i]!) ** 2, 0)) / (n * (n * n - 1));
}

test("a hundred series with defects rank by the share of their readings that has one, whichever it is", () => {
  const pairs = Array.from({ length: 100 }, (_, i) => {
    const share = (i + 1) / 200;
    return [share, -scoreWith(KINDS[i % KINDS.length]!, share)] as const;
  });
  expect(spearman(pairs)).toBeGreaterThanOrEqual(0.95);
});
