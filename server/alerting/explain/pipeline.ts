import type { Pool } from "pg";
import { withinOr } from "@/server/async/timeout";
import { boundsOf } from "@/server/domain/alerts/condition";
import { MEASURES, measureWords } from "@/server/domain/alerts/measure";
import type { PipelineRule } from "@/server/domain/alerts/rule";
import type { AlertState } from "@/server/domain/alerts/state";
import { reason, type Reason, type Say } from "@/server/domain/alerts/why";
import { formatDuration } from "@/server/domain/duration";
import type { EpochMs } from "@/server/domain/terms";
import type { Measured, MeasurePipeline } from "../pipeline-looks";
import { alertAsked, firedReason, readAlertsOf, type ReadTold } from "./alert";
import { offAt } from "./blocked";
import type { Explanation } from "./explain";
import { type RulePast, versionAt } from "./past";

interface MinuteLag {
  readonly time: EpochMs;
  readonly seconds: number;
}

export interface ExplainPipelineDeps {
  readonly pool: Pool;
  readonly readTold: ReadTold;
  /** Takes the measures as they are now. */
  readonly measure: MeasurePipeline;
  /** The longest that a message waited in each minute, in seconds. */
  readonly readLag: (from: EpochMs, to: EpochMs) => Promise<readonly MinuteLag[]>;
}

export interface PipelineQuestion {
  readonly rule: RulePast;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The moment that is asked about; null: any within. */
  readonly at: EpochMs | null;
  readonly now: EpochMs;
  readonly say: Say;
}

/** What a rule about the pipeline goes by, as it is now. */
interface Figure {
  /** The engine or the source it is of; empty for the whole pipeline. */
  readonly subject: string;
  readonly value: number;
  readonly phase: AlertState["phase"];
  /** Since when it is beyond the limit; null: it isn't, or nobody has judged it yet. */
  readonly since: EpochMs | null;
  /** When it fires if that goes on; null: nothing says that it will. */
  readonly firesAt: EpochMs | null;
}

export interface PipelineExplanation extends Explanation {
  /** Those nearest to the limit first; null: it is asked about the past, or nobody can measure it now. */
  readonly figures: readonly Figure[] | null;
}

/** The time measuring may take, in milliseconds. */
const PATIENCE_MS = 4000;
/** What was asked about until so long ago is about now. */
const NOW_MS = 60_000;

/** Says why a rule about the pipeline told of something, or why it didn't: how what it goes by stands, and what would make it fire. */
export async function explainPipeline(
  deps: ExplainPipelineDeps,
  { rule, from, to, at, now, say }: PipelineQuestion,
): Promise<PipelineExplanation> {
  const version = versionAt(rule, at ?? to) ?? rule.versions[0]!;
  const found = await readAlertsOf(deps.pool, { rule: rule.id, device: null, metric: null, from, to });
  const alert = alertAsked(found, from, at);
  const base = { metric: null, version, alert: alert?.id ?? null };
  // What it was before it was about the pipeline is another rule's.
  const { spec } = version.spec.kind === "pipeline" ? version : rule.versions.at(-1)!;
  if (spec.kind !== "pipeline") throw new Error(`rule ${rule.id} isn't about the pipeline`);
  const off = offAt(rule, at ?? to, say);
  if (off !== null && alert === null) return { ...base, reason: off, steps: [], figures: null };
  const figures = to < now - NOW_MS || off !== null ? null : await readFigures(deps, rule.id, spec, now);
  if (alert !== null) {
    const { unit } = MEASURES[spec.measure];
    const metric = { name: "", unit, kind: "number" } as const;
    // That an engine is away is a figure only here.
    const value = alert.firedValue;
    const firedValue = unit === "" || value === null ? null : Number(value.toPrecision(3));
    const told = await firedReason(
      { ...alert, firedValue },
      {
        ...{ isBefore: alert.firedAt < from, metric, say, readTold: deps.readTold },
      },
    );
    const own = alert.endedAt === null ? figures?.find(({ subject }) => subject === alert.subject) : undefined;
    const sentence = `${told.reason.sentence}${own ? ` ${sentenceOf(spec, own)} now.` : ""}`;
    return { ...base, figures, steps: told.steps, reason: { ...told.reason, sentence } };
  }
  const most = spec.measure === "lagSeconds" ? await mostLag(deps, from, to) : null;
  const past =
    most === null
      ? ""
      : ` ${sentenceOf(spec, { subject: "", value: most.seconds }, "was")} at most from ${say.time(from)} to ${say.time(to)}, at ${say.time(most.time)}.`;
  const why = figures === null ? ofPast(spec, { from, to, say }, most) : ofNow(spec, figures, say);
  return { ...base, figures, steps: [], reason: { ...why, sentence: why.sentence + past } };
}

/** How it stands now. */
function ofNow(spec: PipelineRule, figures: readonly Figure[], say: Say): Reason {
  const { measure, limit = 0, forMs } = spec;
  const [nearest] = figures;
  const fires = firesWhen(spec);
  if (nearest === undefined)
    return reason("not-known", `There is nothing that it could be about: it fires when ${fires}.`);
  const { value, subject, since, firesAt } = nearest;
  const standing = `${sentenceOf(spec, nearest)} now`;
  const numbers = { value, limit, by: Number(Math.abs(limit - value).toPrecision(12)) };
  const words = { subject, unit: MEASURES[measure].unit };
  if (!isBeyond(spec, value)) {
    const { unit } = MEASURES[measure];
    const by =
      unit === ""
        ? ""
        : `, which is ${measureWords(measure, numbers.by)} ${measure === "freeDiskPercent" ? "less" : "more"}`;
    return reason("within-limit", `${standing}; it fires when ${fires}${by}.`, { numbers, words });
  }
  const times = { ...(since !== null && { since }), ...(firesAt !== null && { fires: firesAt }) };
  const beyond = MEASURES[measure].unit === "" ? "" : `beyond the limit of ${limit} ${MEASURES[measure].unit} `;
  const lasts = since === null ? "" : `, ${beyond}since ${say.time(since)}`;
  const next =
    firesAt === null
      ? "the worker hasn’t judged that yet"
      : `it fires at ${say.time(firesAt)} if that goes on for all of the ${formatDuration(forMs)}`;
  return reason("pending", `${standing}${lasts}: ${next}.`, { at: since, numbers, words, times });
}

/** What is kept of the past. */
function ofPast(
  spec: PipelineRule,
  { from, to, say }: Pick<PipelineQuestion, "from" | "to" | "say">,
  most: MinuteLag | null,
): Reason {
  const { limit = 0 } = spec;
  const sentence = `No alert of it was decided from ${say.time(from)} to ${say.time(to)}: it fires when ${firesWhen(spec)}.`;
  if (most === null) return reason("not-decided", sentence, { times: { from, to } });
  return reason(isBeyond(spec, most.seconds) ? "not-decided" : "never-beyond", sentence, {
    ...{ at: most.time, numbers: { value: most.seconds, limit }, times: { from, to, closest: most.time } },
  });
}

function firesWhen({ measure, limit = 0, forMs }: PipelineRule): string {
  return `${MEASURES[measure].when(limit)}${forMs === 0 ? "" : ` for ${formatDuration(forMs)}`}`;
}

function sentenceOf({ measure }: PipelineRule, { value, subject }: Measured, verb: "is" | "was" = "is"): string {
  const words = MEASURES[measure].says(measureWords(measure, value), value, subject, verb);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isBeyond({ measure, limit = 0 }: PipelineRule, value: number): boolean {
  const [low, high] = boundsOf(measure === "freeDiskPercent" ? "below" : "above", limit)!;
  return value < low || value > high;
}

/** What it goes by now, and where it stands; null: nobody can measure it. */
async function readFigures(
  { pool, measure }: ExplainPipelineDeps,
  rule: number,
  spec: PipelineRule,
  now: EpochMs,
): Promise<readonly Figure[] | null> {
  const measured = await withinOr(
    PATIENCE_MS,
    measure[spec.measure]().catch(() => null),
    null,
  );
  if (measured === null) return null;
  const { rows } = await pool.query<{ subject: string; state: AlertState }>(
    `SELECT subject, state FROM alert_state WHERE rule_id = $1 AND device_id = 0 AND site_id = 0`,
    [rule],
  );
  const states = new Map(rows.map(({ subject, state }) => [subject, state]));
  const sign = spec.measure === "freeDiskPercent" ? 1 : -1;
  return measured
    .map(({ subject, value }): Figure => {
      const { phase = "normal", episode = null } = states.get(subject) ?? {};
      const since = phase === "normal" ? null : (episode?.startedAt ?? null);
      // A deadline that has passed is one that the worker is about to see.
      const firesAt = phase === "pending" && since !== null ? Math.max(now, since + spec.forMs) : null;
      return { subject, value, phase, since, firesAt };
    })
    .toSorted((a, b) => sign * (a.value - b.value) || (a.subject < b.subject ? -1 : 1));
}

async function mostLag({ readLag }: ExplainPipelineDeps, from: EpochMs, to: EpochMs): Promise<MinuteLag | null> {
  const minutes = await readLag(from, to);
  return minutes.toSorted((a, b) => b.seconds - a.seconds)[0] ?? null;
}
