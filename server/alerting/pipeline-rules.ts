import type { Pool, PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { JudgedRule } from "@/server/domain/alerts/condition";
import { PIPELINE_HOLD_MS, pipelineOf } from "@/server/domain/alerts/judged";
import type { PipelineRule } from "@/server/domain/alerts/rule";
import { goOn } from "@/server/domain/alerts/go-on";
import { type AlertState, isRest, restState } from "@/server/domain/alerts/state";
import { step } from "@/server/domain/alerts/step";
import type { EpochMs } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { Running } from "@/server/observability/running";
import { type ActiveRule, createReadRules, type ReadRules } from "./active-rules";
import { createPipelineLooks, type Look, type MeasurePipeline, type PipelineLooks } from "./pipeline-looks";
import { alone, type TurnDeps } from "./turn";
import type { Instance, Owner } from "./watched";
import { writeDecisions } from "./write";

/** States that go on are written so often: well before what they were judged by no longer holds. */
const KEEP_EVERY_MS = PIPELINE_HOLD_MS / 3;
const DAY_MS = 86_400_000;

/** Of figures that grow with time alone, the milliseconds in which they do by one. */
const GROWTH_MS: { readonly [measure in PipelineRule["measure"]]?: number } = {
  lagSeconds: 1000,
  sourceSilentMinutes: 60_000,
};

interface StateRow {
  readonly rule: number;
  readonly version: number;
  readonly subject: string;
  readonly state: AlertState;
  /** Why there is no such rule any more; null: there is. */
  readonly gone: string | null;
}

type Active = ActiveRule & { readonly spec: PipelineRule };

export interface RunPipelineRulesDeps extends Pick<TurnDeps, "pool"> {
  readonly measure: MeasurePipeline;
  readonly logger: Logger;
  readonly now?: () => EpochMs;
  readonly everyMs?: number;
}

/** Looks at the pipeline again and again, and judges what is seen by the rules about it as soon as the database takes it. */
export function runPipelineRules({
  measure,
  logger,
  now = Date.now,
  everyMs = 5000,
  pool,
}: RunPipelineRulesDeps): Running {
  const leaving = new AbortController();
  const looks = createPipelineLooks(measure);
  const readRules = createReadRules();
  let judging: Promise<void> | null = null;
  let told = false;
  const judge = () => {
    judging ??= judgePipeline(pool, looks, readRules)
      .then(() => void (told = false))
      .catch((error: unknown) => {
        if (!told)
          logger.warn(
            { err: error },
            "the pipeline can't be judged by its rules for now; what is seen is kept until then",
          );
        told = true;
      })
      .finally(() => (judging = null));
  };
  const loop = (async () => {
    while (!leaving.signal.aborted) {
      await looks.look(now());
      // The database may hang; whoever looks doesn't wait for it.
      judge();
      await pause(everyMs, leaving.signal);
    }
    await judging;
  })();
  return {
    async stop() {
      leaving.abort();
      await loop;
    },
  };
}

/** Judges what was seen of the pipeline since the last time, each engine and source by itself. */
export async function judgePipeline(pool: Pool, looks: PipelineLooks, readRules?: ReadRules): Promise<void> {
  const judgedUntil = await alone(
    { pool, readBlocks: async () => [], ...(readRules && { readRules }) },
    async (tx, { rules }) => {
      const seen = looks.seen();
      const own = rules.filter((rule): rule is Active => rule.spec.kind === "pipeline");
      looks.want(new Set(own.map(({ spec }) => spec.measure)));
      const rows = await readStates(tx);
      const changed = new Map<Instance, Owner>();
      for (const rule of own) judgeRule(rule, rows, seen, changed);
      for (const row of rows) if (!own.some(({ id }) => id === row.rule)) close(row, changed);
      await writeDecisions(tx, changed);
      return seen.at(-1)?.at ?? null;
    },
    "pipeline",
  );
  if (judgedUntil !== null) looks.forget(judgedUntil);
}

function judgeRule(
  rule: Active,
  rows: readonly StateRow[],
  seen: readonly Look[],
  changed: Map<Instance, Owner>,
): void {
  const { measure } = rule.spec;
  const known = seen.filter((look) => look.measured.has(measure));
  const now = seen.at(-1)?.at ?? null;
  if (now === null) return;
  const own = new Map(rows.filter((row) => row.rule === rule.id).map((row) => [row.subject, row]));
  const subjects = new Set([
    ...own.keys(),
    ...known.flatMap((look) => look.measured.get(measure)!.map(({ subject }) => subject)),
  ]);
  for (const subject of subjects) {
    const row = own.get(subject) ?? null;
    const instance: Instance = {
      ...{ rule, judged: pipelineOf(rule.spec), metric: 0, subject },
      ...{ state: null, kept: row?.state ?? null, events: [] },
    };
    const figures = known.map(({ at, measured }) => ({
      at,
      value: measured.get(measure)!.find((one) => one.subject === subject)?.value ?? null,
    }));
    let state = row?.state ?? restState(instance.judged);
    if (row !== null && row.version < rule.version) {
      const last = figures.at(-1);
      // Nobody knows yet what the changed rule makes of it.
      if (last === undefined) continue;
      const [next, events] = goOn(state, replayed(instance.judged, last), last.at);
      state = next;
      instance.events.push(...events);
    }
    for (const figure of figures) state = take(state, figure, instance);
    const [last, events] = step(state, { kind: "tick", time: now }, instance.judged);
    instance.events.push(...events);
    instance.state = state = last;
    if (isNews(row, instance, state, now)) changed.set(instance, PIPELINE);
  }
}

/** How a changed rule sees what is: that has lasted for as long as it has to, as far as anybody knows. */
function replayed(
  judged: JudgedRule,
  { at, value }: { readonly at: EpochMs; readonly value: number | null },
): AlertState {
  const rest = restState(judged);
  if (value === null) return rest;
  return step(rest, { kind: "reading", time: at, metrics: [0], values: [value] }, { ...judged, forMs: 0 })[0];
}

/** Takes a figure; null: there is no such engine or source any more. */
function take(
  state: AlertState,
  { at, value }: { readonly at: EpochMs; readonly value: number | null },
  instance: Instance,
): AlertState {
  const { judged, rule, events } = instance;
  if (value === null) {
    const [next, closed] = step(state, { kind: "close", time: at, reason: "not watched any more" }, judged);
    events.push(...closed);
    return next;
  }
  for (const [time, was] of pastOf(rule.spec as PipelineRule, at, value)) {
    if (state.at !== null && time <= state.at) continue;
    const [next, made] = step(state, { kind: "reading", time, metrics: [0], values: [was] }, judged);
    state = next;
    events.push(...made);
  }
  return state;
}

/**
 * A figure with what it says of the time before: a lag of ten minutes was one of nine a minute ago, though nobody could look. From where it crossed
 * the limit, a day back at most, so close that each holds until the next.
 */
function* pastOf(
  { measure, limit = 0 }: PipelineRule,
  at: EpochMs,
  value: number,
): Generator<readonly [EpochMs, number]> {
  const growthMs = GROWTH_MS[measure];
  if (growthMs !== undefined) {
    // A second beyond the limit is beyond it.
    const beyondMs = Math.min((value - limit) * growthMs - 1000, DAY_MS);
    for (let before = beyondMs; before > 0; before -= PIPELINE_HOLD_MS / 2)
      yield [Math.ceil(at - before), value - before / growthMs];
  }
  yield [at, value];
}

/** True if a state is to be written. */
function isNews(row: StateRow | null, { events, rule }: Instance, state: AlertState, now: EpochMs): boolean {
  if (events.length > 0 || (row !== null && row.version < rule.version)) return true;
  const isKept = !isRest(state, now);
  if (row === null || !isKept) return isKept !== (row !== null);
  if (row.state.phase !== state.phase) return true;
  return state.phase !== "normal" && (state.at ?? 0) - (row.state.at ?? 0) >= KEEP_EVERY_MS;
}

/** Closes what rules have left that are off, removed, or about something else now. */
function close({ rule: id, version, subject, state: kept, gone }: StateRow, changed: Map<Instance, Owner>): void {
  const spec = { kind: "pipeline", measure: "engineAway", forMs: 0, keepMs: 0, severity: "warning" } as const;
  const rule: ActiveRule = { id, version, spec, selects: () => false };
  const judged = pipelineOf(spec);
  const [state, events] = step(kept, { kind: "close", time: kept.at ?? 0, reason: gone ?? "rule changed" }, judged);
  changed.set({ rule, judged, metric: 0, subject, state, kept, events: [...events] }, PIPELINE);
}

/** The pipeline in the place of a device. */
const PIPELINE: Owner = {
  ...{ id: 0, facts: { name: "", site: null, type: null, labels: {} }, siteId: null, metricNames: new Map() },
};

/** Reads where rules about the pipeline stand; what is of devices or sites has their numbers. */
async function readStates(tx: PoolClient): Promise<StateRow[]> {
  const { rows } = await tx.query<StateRow>(
    `SELECT s.rule_id AS rule, s.version, s.subject, s.state, CASE WHEN r.id IS NULL THEN 'rule removed' WHEN NOT r.enabled THEN 'rule off' END AS gone
     FROM alert_state s LEFT JOIN alert_rule r ON r.id = s.rule_id WHERE s.device_id = 0 AND s.site_id = 0`,
  );
  return rows;
}
