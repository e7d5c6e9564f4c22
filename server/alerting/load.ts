import type { Pool, PoolClient } from "pg";
import type { JudgedRule } from "@/server/domain/alerts/condition";
import type { DeviceFacts, MetricFacts } from "@/server/domain/alerts/judged";
import { goOn } from "@/server/domain/alerts/go-on";
import { type AlertState, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import { type Coming, type ReadingBlock, samplesOf } from "@/server/ports/reading-blocks";
import type { ActiveRule } from "./active-rules";
import { settle } from "./judge-sample";
import { type Compile, createCompile, type DeviceRow, MOST_BACK_MS } from "./compiled";
import { type Instance, isOfReadings, setState, Watched } from "./watched";

/** Reads readings: blocks whose last moment is within one of the stretches [from, to), by stretch and time. */
export type ReadBlocks = (
  tx: PoolClient,
  stretches: readonly { readonly device: number; readonly from: EpochMs; readonly to: EpochMs }[],
) => Promise<readonly ReadingBlock[]>;

const MINUTE = 60_000;

/** What is loaded of a device. */
export interface Wanted {
  readonly id: number;
  readonly mark: number;
  /** The latest event time that was judged; null: none was. */
  readonly until: EpochMs | null;
}

export interface Loading {
  readonly rules: readonly ActiveRule[];
  /** What compiles these; left out: another for each call. */
  readonly compile?: Compile;
  readonly readBlocks: ReadBlocks;
  /** Readings that are about to be judged: they are left out. By device and time. */
  readonly coming?: Coming;
  /** Rules that are new: what is true already by the readings of before is so at once. */
  readonly seeded?: ReadonlySet<number>;
}

interface StateRow {
  readonly deviceId: number;
  readonly ruleId: number;
  readonly metric: number;
  readonly version: number;
  readonly state: AlertState;
}

/**
 * Loads devices whose rows are locked as they were left by whoever judged them last: states that were stored, and the readings since. States under
 * an earlier version of their rule go on under this one or are closed.
 * @param changed gets the instances whose stored state has to be written
 */
export async function loadWatched(
  tx: PoolClient,
  wanted: readonly Wanted[],
  loading: Loading,
  changed: Map<Instance, Watched>,
): Promise<Map<number, Watched>> {
  const ids = wanted.map(({ id }) => id);
  const compile = loading.compile ?? createCompile(loading.rules);
  const rows = await readDevices(tx, ids);
  const states = await readStates(tx, ids);
  const loaded = new Map<number, Watched>();
  for (const { id, mark } of wanted) {
    const row = rows.get(id);
    if (!row) continue;
    const watched = new Watched(id, row.facts, row.siteId, compile(row));
    watched.mark = mark;
    loaded.set(id, watched);
  }
  const plans = new Map<number, Plan>();
  for (const { id, until } of wanted) {
    const watched = loaded.get(id);
    if (watched) plans.set(id, planOf(watched, until, states.get(id) ?? [], loading));
  }
  const stretches = [...plans.values()]
    .filter(({ from, to }) => from < to)
    .map(({ from, to, watched }) => ({ device: watched.id, from, to }));
  const samples = samplesOf(await loading.readBlocks(tx, stretches), loading.coming);
  for (const [id, plan] of plans) replay(plan, samples.get(id) ?? [], changed);
  return loaded;
}

interface Replay {
  readonly instance: Instance;
  /** The stored state; null: it has none. */
  readonly row: StateRow | null;
  readonly mode: "goOn" | "remember" | "change" | "seed";
}

interface Plan {
  readonly watched: Watched;
  readonly replays: readonly Replay[];
  readonly orphans: readonly StateRow[];
  readonly from: EpochMs;
  readonly to: EpochMs;
}

function planOf(
  watched: Watched,
  until: EpochMs | null,
  states: readonly StateRow[],
  { rules, seeded }: Loading,
): Plan {
  const rowOf = new Map(states.map((row) => [`${row.ruleId} ${row.metric}`, row]));
  const to = until === null ? 0 : until + 1;
  const { parts, remembering, backMs } = watched.compiled;
  let back = backMs;
  let from = Infinity;
  const replays: Replay[] = [];
  // Of what is normal, as nearly all is, the newest values say all there is to say.
  const told = states.length === 0 && !seeded ? remembering : parts;
  for (const part of told) {
    const { judged, rule, metric } = part;
    const row = rowOf.get(`${rule.id} ${metric}`) ?? null;
    rowOf.delete(`${rule.id} ${metric}`);
    if (!isOfReadings(judged)) {
      if (row !== null || seeded) replays.push({ instance: watched.instanceOf(part), row, mode: "goOn" });
      continue;
    }
    const isNew = row === null ? (seeded?.has(rule.id) ?? false) : row.version < rule.version;
    if (isNew) back = Math.max(back, 2 * judged.forMs, MOST_BACK_MS);
    else if (row !== null)
      from = Math.min(from, (row.state.at ?? Infinity) - (isFit(row.state, judged) ? 0 : part.backMs));
    const mode = row === null ? (isNew ? "seed" : "remember") : isNew ? "change" : "goOn";
    if (mode !== "remember" || part.hasMemory) replays.push({ instance: watched.instanceOf(part), row, mode });
  }
  // Those of rules that are off or gone are closed by whoever watches the rules.
  const orphans = [...rowOf.values()].filter(({ ruleId }) => rules.some(({ id }) => id === ruleId));
  // Whole minutes: of half of one there is no mean.
  const start = Math.min(from, to - back);
  const readsNone = watched.compiled.low.length === 0;
  return { watched, replays, orphans, from: readsNone ? to : start - (start % MINUTE), to };
}

function replay(
  { watched, replays, orphans, from, to }: Plan,
  samples: readonly Sample[],
  changed: Map<Instance, Watched>,
): void {
  watched.readFrom(from);
  for (const sample of samples) watched.take(sample);
  for (const { instance, row, mode } of replays) {
    if (!isOfReadings(instance.judged)) {
      if (row !== null) setState(watched, instance, (instance.kept = row.state));
      continue;
    }
    if (row !== null && mode === "goOn") {
      const { at } = (instance.kept = row.state);
      const stored = isFit(row.state, instance.judged) ? row.state : refit(instance, row.state, samples);
      const { state, events } = run(instance, stored, samples, at ?? -Infinity);
      instance.events.push(...events);
      settle(watched, instance, state, changed);
      if (events.length > 0) changed.set(instance, watched);
      continue;
    }
    const { state, events } = run(instance, restState(instance.judged), samples, -Infinity);
    if (mode === "remember") {
      setState(
        watched,
        instance,
        state.phase === "normal" ? { ...state, fires: [] } : restState(instance.judged, state.seen),
      );
      continue;
    }
    if (row !== null) {
      instance.kept = row.state;
      const [next, told] = goOn(row.state, state, Math.max(to - 1, row.state.at ?? 0));
      instance.events.push(...told, ...(row.state.alertId === null ? openOnes(state, events) : []));
      settle(watched, instance, next, changed);
      // The row is of the version before, whatever it says.
      changed.set(instance, watched);
      continue;
    }
    instance.events.push(...openOnes(state, events));
    settle(watched, instance, state.phase === "normal" ? { ...state, fires: [] } : state, changed);
    if (instance.events.length > 0) changed.set(instance, watched);
  }
  for (const row of orphans) {
    const instance = orphanOf(row);
    const [state, events] = step(
      row.state,
      { kind: "close", time: Math.max(to - 1, row.state.at ?? 0), reason: "not selected any more" },
      instance.judged,
    );
    instance.events.push(...events);
    instance.state = state;
    changed.set(instance, watched);
  }
}

/** False where the device has more, or fewer, of a rule's metrics than when the state was stored: its newest values are of other conditions. */
function isFit({ seen }: AlertState, { conditions }: JudgedRule): boolean {
  return seen.length === conditions.length;
}

/** The same state, with the newest values of the conditions as they are by now. */
function refit(instance: Instance, state: AlertState, samples: readonly Sample[]): AlertState {
  const { judged } = instance;
  const until = samples.filter(({ time }) => time <= (state.at ?? -Infinity));
  const { seen } = run(instance, restState(judged), until, -Infinity).state;
  const { episode } = state;
  if (episode === null) return { ...state, seen };
  const condition = judged.conditions.findIndex(({ metric }) => metric === episode.metric);
  return { ...state, seen, episode: { ...episode, ...(condition >= 0 && { condition }) } };
}

/** The events of the episode that is still open: what was over before the rule was made is told to nobody. */
export function openOnes<E extends { readonly kind: string }>(state: AlertState, events: readonly E[]): readonly E[] {
  if (state.phase !== "firing" && state.phase !== "recovering") return [];
  return events.slice(events.findLastIndex(({ kind }) => kind === "fired"));
}

function run({ judged }: Instance, from: AlertState, samples: readonly Sample[], after: EpochMs) {
  let state = from;
  const events: Instance["events"] = [];
  for (const sample of samples) {
    // Live, too, only readings of what it watches move it.
    if (sample.time <= after || !judged.conditions.some(({ metric }) => sample.metrics.includes(metric))) continue;
    const [next, made] = step(state, { kind: "reading", ...sample }, judged);
    state = next;
    events.push(...made);
  }
  return { state, events };
}

/** An instance for a state whose device or series isn't the rule's any more. */
function orphanOf({ ruleId, version, metric, state }: StateRow): Instance {
  const rule = {
    id: ruleId,
    version,
    spec: { kind: "silence", of: {}, afterMs: null, severity: "warning" },
    selects: () => false,
  } as const;
  const judged = { match: "all", conditions: [], forMs: 0, keepMs: 0, least: "warning" } as const;
  return { rule, judged, metric, state: null, kept: state, events: [] };
}

/** Reads what rules select devices by, and their metrics. */
export async function readDevices(tx: Pool | PoolClient, ids: readonly number[]): Promise<Map<number, DeviceRow>> {
  const { rows } = await tx.query<{
    id: number;
    name: string;
    siteId: number | null;
    site: string | null;
    type: string | null;
    gapMs: number | null;
    labels: DeviceFacts["labels"] | null;
    metrics: [id: number, name: string, min: number | null, max: number | null][] | null;
  }>(
    `SELECT d.id, d.name, d.site_id AS "siteId", s.name AS site, d.type, d.gap_median AS "gapMs",
       (SELECT json_object_agg(l.key, l.value) FROM device_label l WHERE l.device_id = d.id) AS labels,
       (SELECT json_agg(json_build_array(m.id, m.name, m.min, m.max) ORDER BY m.id)
        FROM device_metric dm JOIN metric m ON m.id = dm.metric_id WHERE dm.device_id = d.id) AS metrics
     FROM device d LEFT JOIN site s ON s.id = d.site_id WHERE d.id = ANY ($1::integer[])`,
    [ids],
  );
  return new Map(
    rows.map(({ id, name, siteId, site, type, gapMs, labels, metrics }) => {
      const facts: DeviceFacts = { name, site, type, labels: labels ?? {} };
      const known: MetricFacts[] = (metrics ?? []).map(([metric, called, min, max]) => ({
        id: metric,
        name: called,
        min,
        max,
      }));
      return [id, { id, facts, siteId, gapMs, metrics: known }];
    }),
  );
}

async function readStates(tx: PoolClient, ids: readonly number[]): Promise<Map<number, StateRow[]>> {
  const { rows } = await tx.query<StateRow>(
    `SELECT device_id AS "deviceId", rule_id AS "ruleId", metric_id AS metric, version, state FROM alert_state WHERE device_id = ANY ($1::integer[])`,
    [ids],
  );
  const byDevice = new Map<number, StateRow[]>();
  for (const row of rows) byDevice.set(row.deviceId, [...(byDevice.get(row.deviceId) ?? []), row]);
  return byDevice;
}
