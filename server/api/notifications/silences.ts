import { z } from "zod";
import { findSiteNames } from "@/server/catalog/catalog-writes";
import { readNamesNow } from "@/server/catalog/other-names";
import {
  newSilenceBody,
  numberedPath,
  silenceChanges,
  silencePreview,
  silencePreviewBody,
  silencesAnswer,
  silenceView,
} from "@/server/contracts/notifications";
import { signatureOf } from "@/server/domain/access";
import { type Matcher, matches, wordsOfMatchers } from "@/server/domain/notifications/matcher";
import type { EpochMs } from "@/server/domain/terms";
import {
  endSilence,
  findSilence,
  insertSilence,
  listSilences,
  LONGEST_SILENCE_MS,
  moveSilenceEnd,
  openAlerts,
  previewSilence,
  type Silence,
} from "@/server/notifications/silences";
import type { AlertSeen } from "@/server/notifications/told-alerts";
import type { Context, WritingContext } from "@/server/postgres/context";
import { toInstant } from "../instant";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { matchersNow } from "../sites/names-now";
import { NO_PARAMETERS, verb, writingVerb } from "../verb";
import { EVERYWHERE, NotHereError, within } from "../within";
import { missing } from "./shared";

const { $schema: _, ...NEW_SCHEMA } = z.toJSONSchema(newSilenceBody, { io: "input" });
const { $schema: __, ...PREVIEW_SCHEMA } = z.toJSONSchema(silencePreviewBody, { io: "input" });
const { $schema: ___, ...CHANGES_SCHEMA } = z.toJSONSchema(silenceChanges, { io: "input" });
const MOST_NAMED = 20;

export const listSilencesVerb = verb(
  {
    method: "GET",
    path: "/api/v1/silences",
    access: "view",
    bySite: true,
    summary: "Silences, and what each hides now",
    description: "Who sees some sites alone sees those that are of these sites alone.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: silencesAnswer,
    status: 200,
    problems: [],
  },
  () => async (ctx) => {
    const own = await sitesIn(ctx);
    const open = await openAlerts(ctx.tx, ctx.sites, ctx.now);
    const seen = (await listSilences(ctx.tx, ctx.now)).filter(({ matchers }) => own === null || isOf(matchers, own));
    return { items: seen.map((silence) => told(silence, open, ctx.now)) };
  },
);

export const addSilence = writingVerb(
  {
    method: "POST",
    path: "/api/v1/silences",
    access: "operate",
    bySite: true,
    summary: "Keeps alerts from being told until a time; they are still decided and shown",
    description:
      "What still fires when it ends is told then, once. Who may do this at some sites alone names them: a matcher of the field site.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: silenceView,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": NEW_SCHEMA },
  },
  () =>
    async (ctx, { request, note }) => {
      const { matchers: said, reason, untilResolved, ...times } = await parseJsonBody(newSilenceBody, request);
      const matchers = matchersNow(said, await readNamesNow(ctx.tx));
      await mustBeOwn(ctx, matchers);
      const startsAt = times.startsAt === undefined ? ctx.now : Math.max(ctx.now, Date.parse(times.startsAt));
      const endsAt = Date.parse(times.endsAt);
      if (endsAt <= startsAt) throw invalid([{ at: "endsAt", message: "must be in the future, and after it starts" }]);
      if (endsAt > startsAt + LONGEST_SILENCE_MS)
        throw invalid([
          { at: "endsAt", message: "must be 30 days after it starts at most: what is silenced longer is forgotten" },
        ]);
      const id = await insertSilence(
        ctx.tx,
        { matchers, reason, startsAt, endsAt, untilResolved },
        signatureOf(ctx.caller),
      );
      const silence = (await findSilence(ctx.tx, id))!;
      const after = told(silence, await openAlerts(ctx.tx, ctx.sites, ctx.now), ctx.now);
      const { by: ____, ...noted } = after;
      note({ target: String(id), detail: { after: noted } });
      return after;
    },
);

export const previewSilenceVerb = verb(
  {
    method: "POST",
    path: "/api/v1/silence-preview",
    access: "operate",
    bySite: true,
    summary: "Tells what a silence would hide now, and what it would have hidden in the last seven days",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: silencePreview,
    status: 200,
    problems: [...BODY_PROBLEMS],
    bodies: { "application/json": PREVIEW_SCHEMA },
  },
  () =>
    async (ctx, { request }) => {
      const said = await parseJsonBody(silencePreviewBody, request);
      const matchers = matchersNow(said.matchers, await readNamesNow(ctx.tx));
      const { open, week } = await previewSilence(ctx.tx, matchers, ctx.sites, ctx.now);
      return { now: open.length, alerts: open.slice(0, MOST_NAMED), week };
    },
);

export const extendSilenceVerb = writingVerb(
  {
    method: "PATCH",
    path: "/api/v1/silences/{id}",
    access: "operate",
    bySite: true,
    summary: "Has a silence end at another time",
    description: "30 days after it started at most. One that has ended stays so.",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: silenceView,
    status: 200,
    problems: ["not-found", "wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": CHANGES_SCHEMA },
  },
  () =>
    async (ctx, { params: { id }, request, note }) => {
      const endsAt = Date.parse((await parseJsonBody(silenceChanges, request)).endsAt);
      const before = await ownSilence(ctx, id);
      if (before.endsAt <= ctx.now) throw new ProblemError("wrong-status", "It has ended already: make another one.");
      if (endsAt <= Math.max(ctx.now, before.startsAt))
        throw invalid([{ at: "endsAt", message: "must be in the future, and after it starts" }]);
      if (endsAt > before.startsAt + LONGEST_SILENCE_MS)
        throw invalid([
          { at: "endsAt", message: "must be 30 days after it starts at most: what is silenced longer is forgotten" },
        ]);
      await moveSilenceEnd(ctx.tx, id, endsAt);
      note({ detail: { before: { endsAt: toInstant(before.endsAt) }, after: { endsAt: toInstant(endsAt) } } });
      return told((await findSilence(ctx.tx, id))!, await openAlerts(ctx.tx, ctx.sites, ctx.now), ctx.now);
    },
);

export const endSilenceVerb = writingVerb(
  {
    method: "DELETE",
    path: "/api/v1/silences/{id}",
    access: "operate",
    bySite: true,
    summary: "Ends a silence now; it stays in the list",
    params: numberedPath,
    query: NO_PARAMETERS,
    answer: silenceView,
    status: 200,
    problems: ["not-found", "wrong-status"],
  },
  () =>
    async (ctx, { params: { id }, note }) => {
      const before = await ownSilence(ctx, id);
      if (before.endsAt <= ctx.now) throw new ProblemError("wrong-status", "It has ended already.");
      await endSilence(ctx.tx, id, ctx.now);
      note({ detail: { before: { endsAt: toInstant(before.endsAt) } } });
      return told((await findSilence(ctx.tx, id))!, [], ctx.now);
    },
);

/** The silence of this number, locked. @throws ProblemError when there is none that the caller sees. */
async function ownSilence(ctx: WritingContext, id: number): Promise<Silence> {
  const silence = await findSilence(ctx.tx, id, true);
  const names = async (sites: Context["sites"]) => (sites === "all" ? null : await findSiteNames(ctx.tx, sites));
  await within(
    ctx,
    async (sites) => {
      const own = await names(sites);
      return silence !== null && (own === null || isOf(silence.matchers, own)) ? silence : null;
    },
    () => missing("silence", id),
  );
  return silence!;
}

/** Names of the sites the call is about; null for all. */
async function sitesIn({ tx, sites }: Context | WritingContext): Promise<readonly string[] | null> {
  return sites === "all" ? null : findSiteNames(tx, sites);
}

/** True for matchers that cover alerts of these sites alone. */
function isOf(matchers: readonly Matcher[], sites: readonly string[]): boolean {
  return matchers.some(
    ({ field, is, values }) => field === "site" && is === "is" && values.every((value) => sites.includes(value)),
  );
}

/** @throws NotHereError when the matchers cover more than the sites the caller may silence. */
async function mustBeOwn(ctx: WritingContext, matchers: readonly Matcher[]): Promise<void> {
  const own = await sitesIn(ctx);
  if (own !== null && !isOf(matchers, own)) throw new NotHereError(EVERYWHERE);
}

function told(silence: Silence, open: readonly AlertSeen[], now: EpochMs): z.input<typeof silenceView> {
  const { id, matchers, reason, startsAt, endsAt, untilResolved, by } = silence;
  const state = endsAt <= now ? "ended" : startsAt > now ? "pending" : "active";
  return {
    ...{ id, reason, untilResolved, by, state },
    matchers: [...matchers],
    words: wordsOfMatchers(matchers),
    startsAt: toInstant(startsAt),
    endsAt: toInstant(endsAt),
    hides: state === "active" ? open.filter((alert) => matches(matchers, alert)).length : 0,
  };
}
