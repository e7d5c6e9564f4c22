import type { Pool } from "pg";
import type { z } from "zod";
import { explain } from "@/server/alerting/explain/explain";
import { explainPipeline, type PipelineExplanation } from "@/server/alerting/explain/pipeline";
import { readDevicePast, readRulePast, type RulePast } from "@/server/alerting/explain/past";
import type { MeasurePipeline } from "@/server/alerting/pipeline-looks";
import { readWatermark } from "@/server/alerting/watermark";
import { whyAnswer, whyQuery } from "@/server/contracts/why";
import { sentenceOf } from "@/server/domain/alerts/sentence";
import { reason, type Say, sayIn } from "@/server/domain/alerts/why";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { parseEventTime } from "@/server/domain/time";
import { readLag } from "@/server/events/lag";
import { toldOf } from "@/server/notifications/told-of";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { TopicState } from "@/server/ports/event-log";
import type { MessageArchive } from "@/server/ports/message-archive";
import { readBlocks } from "@/server/readings/blocks";
import { noDevice } from "../devices/id";
import { rangeAsked } from "../devices/range";
import { toInstant, toInstantOrNull } from "../instant";
import { invalid } from "../parse";
import { noRule } from "../rules/view";
import { NO_PARAMETERS, verb } from "../verb";

interface Deps {
  readonly pool: Pool;
  readonly archive: Pick<MessageArchive, "find">;
  readonly deadLetters: Pick<DeadLetters, "find">;
  /** The log that the pipeline reads. */
  readonly describeLog: () => Promise<TopicState>;
  readonly staleSeconds: number;
  /** Takes what rules about the pipeline go by. */
  readonly measure: MeasurePipeline;
}

/** A moment is asked about with so much around it at least. */
const AROUND_MS = 600_000;
const MINUTE_MS = 60_000;
const LONGEST_MS = 24 * 3_600_000;
/** Refused fields that are looked at. */
const MOST_REFUSED = 1000;

export const explainAlert = verb(
  {
    method: "GET",
    path: "/api/v1/alerts/why",
    access: "view",
    bySite: true,
    summary: "Why a rule told of a device, or why it didn't: one sentence with the number",
    description:
      "Runs the machine that decides alerts over the readings that are kept, by the rule's versions and what selected the device as they were then, and answers the " +
      "first step that decided it; of an alert, who was told or why nobody was. Without a moment or a range it is about the last hour.",
    params: NO_PARAMETERS,
    query: whyQuery,
    answer: whyAnswer,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool, archive, deadLetters, describeLog, staleSeconds, measure }: Deps) =>
    async ({ sites, now }, { query }) => {
      const rule = await readRulePast(pool, query.rule);
      if (rule === null) throw noRule(query.rule);
      const newest = rule.versions.at(-1)!.spec;
      const told = (id: string, { time }: Say) => toldOf(pool, id, time);
      if (newest.kind === "pipeline") {
        const { from, to, at } = stretchAsked(query, now, now, newest);
        const say = sayIn(zoneAsked(query.zone), at ?? from);
        // What is of no site is told to who sees all sites alone.
        const answer =
          sites === "all"
            ? await explainPipeline(
                { pool, measure, readTold: told, readLag: (since, until) => readLag(pool, since, until, MINUTE_MS) },
                { rule, from, to, at, now, say },
              )
            : notForSites(rule);
        return toAnswer(answer, { rule, device: null, from, to });
      }
      if (query.device === undefined)
        throw invalid([{ at: "device", message: "must be given: the rule is about devices" }]);
      const device = await readDevicePast(pool, query.device, sites);
      if (device === null) throw noDevice(query.device);
      // The device's clock may be ahead of the one here.
      const latest = Math.max(now, device.latest ?? now);
      const { from, to, at } = stretchAsked(query, now, latest, newest);
      const say = sayIn(zoneAsked(query.zone), at ?? from);
      const answer = await explain(
        {
          ...{ pool, readBlocks, archive, staleMs: 10_000 * staleSeconds },
          readTold: told,
          readWatermark: async () => readWatermark(pool, await describeLog()),
          readRefused: (name, field, since, until) => refusedOf(deadLetters, name, field, since, until),
        },
        { rule, device, metric: query.metric ?? null, from, to, at, now, say },
      );
      return toAnswer({ ...answer, figures: null }, { rule, device: device.facts.name, from, to });
    },
);

function toAnswer(
  { reason, alert, metric, version, steps, figures }: PipelineExplanation,
  { rule, device, from, to }: { rule: RulePast; device: string | null; from: number; to: number },
): z.input<typeof whyAnswer> {
  const by = version ?? rule.versions.at(-1)!;
  return {
    sentence: reason.sentence,
    reason: {
      ...{
        kind: reason.kind,
        at: toInstantOrNull(reason.at),
        numbers: { ...reason.numbers },
        words: { ...reason.words },
      },
      times: Object.fromEntries(Object.entries(reason.times).map(([name, time]) => [name, toInstant(time)])),
    },
    rule: { id: rule.id, name: rule.name, version: by.version, sentence: sentenceOf(by.spec), spec: by.spec },
    ...{ device, metric, alert, from: toInstant(from), to: toInstant(to) },
    figures:
      figures?.map(({ since, firesAt, ...figure }) => ({
        ...figure,
        ...{ since: toInstantOrNull(since), firesAt: toInstantOrNull(firesAt) },
      })) ?? null,
    steps: steps.map((step) => ({ ...step, at: toInstant(step.at) })),
  };
}

/** How the pipeline is doing is told to nobody who sees some sites only. */
function notForSites(rule: RulePast): PipelineExplanation {
  const sentence = "The rule is about the pipeline itself, and how that stands is told to those who see all sites.";
  const version = rule.versions.at(-1)!;
  return { reason: reason("not-known", sentence), alert: null, metric: null, version, steps: [], figures: null };
}

/** The stretch that is asked about: around the moment as much as the rule looks back, or as it was said. @throws ProblemError */
function stretchAsked(
  query: { readonly at?: string | undefined; readonly from?: string | undefined; readonly to?: string | undefined },
  now: number,
  latest: number,
  spec: object,
): { from: number; to: number; at: number | null } {
  if (query.at === undefined) {
    const range = rangeAsked(query, now);
    if (range.to - range.from > LONGEST_MS)
      throw invalid([{ at: "from", message: "must be at most 24 h before `to`" }]);
    if (range.from > latest) throw notYet("from", now);
    return { ...range, to: Math.min(range.to, latest), at: null };
  }
  if (query.from !== undefined || query.to !== undefined)
    throw invalid([{ at: "at", message: "can’t be given together with `from` or `to`" }]);
  const at = parseEventTime(query.at);
  if (at === null) throw invalid([{ at: "at", message: "must be from 1970 to 9999" }]);
  if (at > latest) throw notYet("at", now);
  const around = Math.min(LONGEST_MS / 2, Math.max(AROUND_MS, "forMs" in spec ? 2 * Number(spec.forMs) : 0));
  return { from: at - around, to: Math.max(at, Math.min(at + around, now)), at };
}

/** Nothing was decided of what is still to come. */
function notYet(at: string, now: number) {
  return invalid([{ at, message: `must not be in the future: it is ${toInstant(now)} here` }]);
}

function zoneAsked(zone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    throw invalid([{ at: "zone", message: "must be the name of a zone, such as UTC or Europe/Berlin" }]);
  }
}

async function refusedOf(deadLetters: Deps["deadLetters"], device: string, field: string, from: number, to: number) {
  // They are found by when the log took them.
  const found = await deadLetters.find({ sites: "all", device, field, until: to, limit: MOST_REFUSED });
  const within = found.filter(({ ingestTime }) => ingestTime >= from);
  const [newest] = within;
  if (!newest) return null;
  const { title } = DEAD_LETTER_REASONS[newest.reason];
  return { count: within.length, title, isOfOtherKind: newest.reason === "typeDrift" };
}
