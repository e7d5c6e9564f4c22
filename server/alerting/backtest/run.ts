import { setImmediate } from "node:timers/promises";
import type { Pool, PoolClient } from "pg";
import type { Sites } from "@/server/domain/access";
import { judgedOf, selectorOf } from "@/server/domain/alerts/judged";
import type { ConditionRule, RuleSpec, SilenceRule } from "@/server/domain/alerts/rule";
import type { EpochMs } from "@/server/domain/terms";
import { withTransaction } from "@/server/postgres/transaction";
import type { DeviceRow } from "../compiled";
import { readDevices } from "../load";
import { usualSilence } from "../silence";
import { readOpen } from "../telemetry-open";

import type { FoundEpisode } from "./episodes";
import type { HourPart } from "@/server/ports/reading-blocks";
import type { Column, History } from "./history";
import { type Need, planOf, type Replay, replay, type Replayed } from "./replay";
import { replaySilence } from "./replay-silence";

const HOUR = 3_600_000;
/** Hours read by one query: it stays short, and so does what is done with its answer. */
const HOURS_AT_ONCE = 200;

/** A rule that can be run over what is stored. */
export type TriableRule = ConditionRule | SilenceRule;

/** Says why a rule can't be tried on history; null: it can. */
export function untriableReason(spec: RuleSpec): string | null {
  if (spec.kind === "condition" || spec.kind === "silence") return null;
  return `Rules of the kind “${spec.kind}” can't be tried on history`;
}

export interface Backtest {
  readonly spec: TriableRule;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The silence of a device of which nothing better is known, in milliseconds. */
  readonly staleMs: number;
}

/** What a rule would have made of one of its series; metric null: of several, or of none. */
interface SeriesOutcome extends Replayed {
  readonly metric: string | null;
}

/** What a rule would have done with a device. */
export interface DeviceOutcome {
  readonly device: DeviceRow;
  readonly series: readonly SeriesOutcome[];
}

/** An instance that is run: its generator, and what it waits for. */
interface Run {
  readonly device: DeviceRow;
  readonly metrics: readonly number[];
  readonly metric: string | null;
  readonly going: Replay;
  need: Need | null;
  found: Replayed | null;
}

/**
 * Runs a rule over what is stored of devices, by the machine that judges live. A device that the rule doesn't select is left out. All is read from
 * one moment, by queries that stay short, so that whoever writes meanwhile waits for none.
 */
export async function backtestDevices(
  pool: Pool,
  history: History,
  ids: readonly number[],
  backtest: Backtest,
  signal: AbortSignal,
): Promise<DeviceOutcome[]> {
  return withTransaction(
    pool,
    async (tx) => {
      const isFor = selectorOf(backtest.spec.of);
      const devices = [...(await readDevices(tx, ids)).values()].filter(({ facts }) => isFor(facts));
      const { spec } = backtest;
      const runs =
        spec.kind === "silence"
          ? await silenceRuns(tx, devices, { ...backtest, spec })
          : await conditionRuns(tx, history, devices, { ...backtest, spec });
      for (const run of runs) advance(run, null);
      for (;;) {
        const waiting = runs.filter(({ need }) => need !== null);
        if (waiting.length === 0) break;
        await feed(tx, history, spec.kind === "silence", waiting);
        signal.throwIfAborted();
        // Others of this process have their turn.
        await setImmediate();
      }
      return devices.flatMap((device) => {
        const own = runs.filter((run) => run.device === device);
        return own.length === 0 ? [] : [{ device, series: own.map(({ metric, found }) => ({ metric, ...found! })) }];
      });
    },
    history.begin,
  );
}

function advance(run: Run, columns: ReadonlyMap<number, Column> | null): void {
  const turn = run.going.next(columns ?? new Map());
  if (turn.done) [run.need, run.found] = [null, turn.value];
  else run.need = turn.value;
}

/** Reads what some of those that wait need, by the same metrics at once, and lets them go on. */
async function feed(tx: PoolClient, history: History, isSilence: boolean, waiting: readonly Run[]): Promise<void> {
  const key = String(waiting[0]!.metrics);
  const some: Run[] = [];
  let hours = 0;
  for (const run of waiting) {
    if (hours >= HOURS_AT_ONCE) break;
    if (String(run.metrics) !== key) continue;
    some.push(run);
    hours += (run.need!.to - run.need!.from) / HOUR;
  }
  const stretches = some.map(({ device, need }) => ({ device: device.id, ...need! }));
  if (isSilence) {
    const found = await history.moments(tx, stretches);
    for (const [i, run] of some.entries()) advance(run, new Map([[0, { times: found[i]!, values: [] }]]));
    return;
  }
  const found = await history.readings(tx, waiting[0]!.metrics, stretches);
  for (const [i, run] of some.entries()) advance(run, found[i]!);
}

async function conditionRuns(
  tx: PoolClient,
  history: History,
  devices: readonly DeviceRow[],
  { spec, from, to }: Backtest & { readonly spec: ConditionRule },
): Promise<Run[]> {
  const open = await history.openHours(
    tx,
    devices.map(({ id }) => id),
    from,
    to,
  );
  const made = devices.flatMap((device) =>
    judgedOf(spec, device.metrics, device.gapMs).map(({ metric, rule: judged }) => {
      const metrics = [...new Set(judged.conditions.map((one) => one.metric))];
      return { device, metric, judged, metrics, plan: planOf(judged) };
    }),
  );
  const asked = made.flatMap(({ device, metrics, plan }, i) =>
    plan.by === "readings"
      ? []
      : metrics.map((metric) => {
          const [low, high] = plan.by === "band" ? plan.band : [Infinity, -Infinity];
          return { i, device: device.id, metric, low, high };
        }),
  );
  const parts = made.map(() => new Map<number, readonly HourPart[]>());
  for (const [n, of] of (await history.hours(tx, asked, from, to)).entries())
    parts[asked[n]!.i]!.set(asked[n]!.metric, of);
  return made.map(({ device, metric, judged, metrics, plan }, i) => {
    const hours = open.get(device.id)!;
    const task = { judged, plan, parts: parts[i]!, late: hours.late, open: hours.from, from, to };
    const name = device.metrics.find(({ id }) => id === metric)?.name ?? null;
    return { device, metrics, metric: name, going: replay(task), need: null, found: null };
  });
}

async function silenceRuns(
  tx: PoolClient,
  devices: readonly DeviceRow[],
  { spec, from, to, staleMs }: Backtest & { readonly spec: SilenceRule },
): Promise<Run[]> {
  const open = await readOpen(tx, from);
  const { rows } = await tx.query<{ id: number; gaps: number; gapP99: number | null; staleSeconds: number | null }>(
    `SELECT id, gaps, gap_p99 AS "gapP99", stale_seconds AS "staleSeconds" FROM device WHERE id = ANY ($1::integer[])`,
    [devices.map(({ id }) => id)],
  );
  const gapsOf = new Map(rows.map((row) => [row.id, row]));
  return devices.map((device) => {
    const afterMs = spec.afterMs ?? usualSilence(gapsOf.get(device.id)!, staleMs);
    const going = replaySilence({ spec, afterMs, open, from, to });
    return { device, metrics: [], metric: null, going, need: null, found: null };
  });
}

/** Finds some devices at these sites that may be selected, by id. @param after only those with greater ids */
export async function nextDevices(
  tx: Pool | PoolClient,
  sites: Sites,
  after: number,
  limit: number,
): Promise<number[]> {
  const { rows } = await tx.query<{ id: number }>(
    `SELECT id FROM device WHERE id > $1 AND ($2::integer[] IS NULL OR site_id = ANY ($2)) ORDER BY id LIMIT $3`,
    [after, sites === "all" ? null : sites, limit],
  );
  return rows.map(({ id }) => id);
}

/** Counts the devices that {@link nextDevices} goes through. */
export async function countDevices(tx: Pool | PoolClient, sites: Sites): Promise<number> {
  const { rows } = await tx.query<{ n: number }>(
    `SELECT count(*)::integer AS n FROM device WHERE $1::integer[] IS NULL OR site_id = ANY ($1)`,
    [sites === "all" ? null : sites],
  );
  return rows[0]!.n;
}

/** How long episodes fire within a range, together and the longest, in milliseconds. */
export function firingOf(
  episodes: readonly Pick<FoundEpisode, "firedAt" | "endedAt">[],
  to: EpochMs,
): { readonly firingMs: number; readonly longestMs: number } {
  let [firingMs, longestMs] = [0, 0];
  for (const { firedAt, endedAt } of episodes) {
    const lasted = Math.max(0, (endedAt ?? to) - firedAt);
    firingMs += lasted;
    longestMs = Math.max(longestMs, lasted);
  }
  return { firingMs, longestMs };
}
