import type { Pool } from "pg";
import type { ConditionRule } from "@/server/domain/alerts/rule";
import { reason, type Reason, type Say } from "@/server/domain/alerts/why";
import type { EpochMs } from "@/server/domain/terms";
import type { MessageArchive } from "@/server/ports/message-archive";
import { type ReadingBlock, samplesOf } from "@/server/ports/reading-blocks";
import { readOpen } from "../telemetry-open";
import { alertAsked, firedReason, readAlertsOf, type ReadTold } from "./alert";
import { type Arrival, readArrivals } from "./arrivals";
import { blockedAt } from "./blocked";
import { lacking, type Judged, type Outcome, outcomesOf } from "./condition";
import { type DevicePast, type PastVersion, type RulePast, versionAt } from "./past";
import { silenceReason } from "./silence";

/** Fields of a device that were refused. */
interface Refused {
  readonly count: number;
  readonly title: string;
  /** True if it was of another kind than the metric's values are. */
  readonly isOfOtherKind: boolean;
}

export interface ExplainDeps {
  readonly pool: Pool;
  readonly readBlocks: (
    pool: Pool,
    stretches: readonly { readonly device: number; readonly from: EpochMs; readonly to: EpochMs }[],
  ) => Promise<readonly ReadingBlock[]>;
  readonly archive: Pick<MessageArchive, "find">;
  readonly readTold: ReadTold;
  /** Up to when all that the log took was handled; null: nobody knows. */
  readonly readWatermark: () => Promise<EpochMs | null>;
  readonly readRefused: (device: string, metric: string, from: EpochMs, to: EpochMs) => Promise<Refused | null>;
  /** The silence of a device of which nothing better is known, in milliseconds. */
  readonly staleMs: number;
}

export interface Question {
  readonly rule: RulePast;
  readonly device: DevicePast;
  /** Only this series; null: whichever tells most. */
  readonly metric: string | null;
  readonly from: EpochMs;
  readonly to: EpochMs;
  /** The moment that is asked about; null: any within. */
  readonly at: EpochMs | null;
  readonly now: EpochMs;
  readonly say: Say;
}

export interface Explanation {
  readonly reason: Reason;
  /** The alert it is about. */
  readonly alert: string | null;
  /** The series it is about; null: of none, or of several. */
  readonly metric: string | null;
  /** The version of the rule that decided. */
  readonly version: PastVersion | null;
  /** What happened, in its order. */
  readonly steps: readonly { readonly at: EpochMs; readonly words: string }[];
}

const HOUR = 3_600_000;

/** Says why a rule told of a device within a stretch, or why it didn't: the first step that decided it. */
export async function explain(deps: ExplainDeps, asked: Question): Promise<Explanation> {
  const question = sinceMade(asked);
  const { rule, device, metric, from, to, at, say } = question;
  const found = await readAlertsOf(deps.pool, {
    ...{ rule: rule.id, device: device.id, metric, from, to },
  });
  const alert = alertAsked(found, from, at);
  if (alert !== null) {
    const said = device.metrics.find(({ name }) => name === (alert.metric ?? alert.firedMetric)) ?? null;
    const { reason: why, steps } = await firedReason(alert, {
      ...{ isBefore: alert.firedAt < from, metric: said, say, readTold: deps.readTold },
    });
    return { reason: why, alert: alert.id, metric: alert.metric, version: versionAt(rule, alert.decidedAt), steps };
  }
  const version = versionAt(rule, at ?? to) ?? rule.versions[0]!;
  const answer =
    version.spec.kind === "condition" ? await ofCondition(deps, question) : await ofOther(deps, question, version);
  return { alert: null, metric, version, steps: [], ...answer };
}

/** What was before the rule decides nothing of a question that ends when the rule is there. */
function sinceMade(question: Question): Question {
  const { rule, from, to, at } = question;
  const made = rule.versions[0]!.at;
  return made > from && made <= (at ?? to) ? { ...question, from: made } : question;
}

type Answer = Pick<Explanation, "reason"> & Partial<Explanation>;

async function ofCondition(deps: ExplainDeps, question: Question): Promise<Answer> {
  const { rule, device, metric, from, to, at, say, now } = question;
  const specs = rule.versions.flatMap(({ spec }) => (spec.kind === "condition" ? [spec] : []));
  const holds = specs.map(({ holds: ms }) => (typeof ms === "number" ? ms : 0));
  const back = Math.max(HOUR, ...holds, ...specs.map(({ forMs }) => 2 * forMs));
  const judged = await readJudged(deps, question, back);
  const inside = judged.samples.filter(({ time }) => time >= from && time <= to);
  /** By the clock here, when what has this event time was judged. */
  const judgedAt = (event: EpochMs) => judged.arrival(event)?.processed ?? event;
  const moments = inside.length > 0 ? inside.map(({ time }) => judgedAt(time)) : [at ?? to];
  const blocks = moments.map((moment) => blockedAt(rule, device, moment, say));
  const first = blocks.find((one) => one !== null);
  if (at !== null) {
    // Whatever came of the time around it: what was of the moment itself wasn't judged.
    const sample = inside.findLast(({ time }) => time <= at);
    const then = blockedAt(rule, device, Math.max(at, sample ? judgedAt(sample.time) : at), say);
    if (then !== null) return { reason: then };
  }
  if (first && blocks.every((one) => one !== null)) return { reason: first };

  const used = new Set(moments.map((moment) => versionAt(rule, moment)).filter((one) => one !== null));
  const outcomes: (Outcome & { readonly version: PastVersion })[] = [];
  const waits = await isWaiting(deps.pool, device.id);
  const lag = Math.max(0, now - (device.lastSeen ?? now));
  const asked = { device, metric, from, to, say, waits, until: Math.max(to, (device.latest ?? to) + lag) };
  let lacks: Reason | null = null;
  for (const version of used) {
    const { spec } = version;
    if (spec.kind !== "condition") continue;
    lacks = lacking(spec, asked);
    if (lacks !== null) continue;
    for (const outcome of outcomesOf(spec, judged, { ...asked, until: Math.min(asked.until, now) })) {
      // Another version decided then.
      if (versionAt(rule, judgedAt(outcome.to)) !== version && used.size > 1 && outcome.rank > 0) continue;
      outcomes.push({ ...outcome, version });
    }
  }
  const best = outcomes.toSorted((a, b) => b.rank - a.rank || b.weight - a.weight)[0];
  if (!best)
    return { reason: lacks ?? (await noReading(deps, question, [...used].at(-1)!.spec as ConditionRule, judged)) };
  const blocked = best.rank >= 2 ? blockedAt(rule, device, judgedAt(best.to), say) : null;
  const notYet = best.rank === 3 && !rule.inForce && best.version.version === rule.version;
  const why = notYet && best.reason.kind === "not-known" ? notInForce(rule) : best.reason;
  return { reason: blocked ?? why, metric: best.metric, version: best.version, steps: best.steps };
}

/** Readings around the stretch, and when they came. */
async function readJudged(deps: ExplainDeps, { device, from, to, now }: Question, back: number) {
  const start = from - back;
  const blocks = await deps.readBlocks(deps.pool, [
    { device: device.id, from: start - (start % HOUR), to: to + 2 * HOUR },
  ]);
  const samples = samplesOf(blocks).get(device.id) ?? [];
  const events = samples.map(({ time }) => time).filter((time) => time >= from && time <= to);
  const arrivals = await readArrivals(deps.archive, device.facts.name, { from, to, now, events });
  const byEvent = new Map<EpochMs, Arrival>();
  for (const one of arrivals) if (!byEvent.has(one.event)) byEvent.set(one.event, one);
  const arrival = (event: EpochMs) => byEvent.get(event) ?? null;
  const order = new Map([...byEvent.keys()].map((event, i) => [event, i]));
  // What the archive doesn't know came before what it does, in its own order.
  const arrived = samples.toSorted((a, b) => (order.get(a.time) ?? -1) - (order.get(b.time) ?? -1) || a.time - b.time);
  const judged: Judged = { samples, arrived, arrival };
  return judged;
}

async function noReading(
  deps: ExplainDeps,
  { device, metric, from, to, say }: Question,
  spec: ConditionRule,
  { samples }: Judged,
): Promise<Reason> {
  const name = metric ?? spec.conditions[0]!.metric;
  const refused = name.includes("*") ? null : await deps.readRefused(device.facts.name, name, from, to);
  const stretch = `from ${say.time(from)} to ${say.time(to)}`;
  if (refused !== null) {
    const kind = device.metrics.find((one) => one.name === name)?.kind ?? "number";
    const sentence = refused.isOfOtherKind
      ? `${name} came ${refused.count} times ${stretch} as something else than ${kind === "number" ? "a number" : "true or false"}, and became dead letters.`
      : `${name} came ${refused.count} times ${stretch} and was refused: ${refused.title.toLowerCase()}.`;
    return reason(refused.isOfOtherKind ? "kind-differs" : "refused", sentence, {
      ...{ numbers: { refused: refused.count }, times: { from, to }, words: { metric: name, why: refused.title } },
    });
  }
  const ids = new Set(device.metrics.filter((one) => one.name === name).map(({ id }) => id));
  const last = samples.findLast((one) => one.time < from && one.metrics.some((id) => ids.has(id)));
  const before = last ? `; the last one before was of ${say.time(last.time)}` : "";
  const what = name.includes("*") ? `a metric like ${name}` : name;
  return reason("no-reading", `No reading of ${what} came ${stretch}${before}.`, {
    at: last?.time ?? null,
    ...{ times: { from, to, ...(last && { last: last.time }) }, words: { metric: name } },
  });
}

function notInForce({ version }: RulePast): Reason {
  return reason("not-in-force", `What is there already is still being judged by version ${version} of the rule.`, {
    numbers: { version },
  });
}

async function ofOther(deps: ExplainDeps, question: Question, { spec }: PastVersion): Promise<Answer> {
  const { rule, device, from, to, at, say, now } = question;
  const blocked = blockedAt(rule, device, at ?? to, say);
  if (blocked !== null && (at !== null || blockedAt(rule, device, from, say) !== null)) return { reason: blocked };
  if (spec.kind === "silence") {
    const [arrivals, open, watermark] = await Promise.all([
      readArrivals(deps.archive, device.facts.name, { from: from - HOUR, to: to + HOUR, now, events: [] }),
      readOpen(deps.pool, 0),
      deps.readWatermark(),
    ]);
    const heard = arrivals.filter(({ isHeard }) => isHeard).map(({ ingest }) => ingest);
    const { at: decided, reason: why } = silenceReason(spec, {
      device,
      heard,
      open,
      watermark,
      staleMs: deps.staleMs,
      from,
      to,
      now,
      say,
    });
    return { reason: blockedAt(rule, device, decided, say) ?? why };
  }
  const sentence = `No alert of this rule was decided for ${device.facts.name} from ${say.time(from)} to ${say.time(to)}.`;
  return { reason: reason("not-decided", sentence, { times: { from, to } }) };
}

/** Whether a stretch of a device is about to be judged again. */
async function isWaiting(pool: Pool, device: number): Promise<boolean> {
  return (await pool.query(`SELECT FROM alert_recheck WHERE device_id = $1`, [device])).rowCount !== 0;
}
