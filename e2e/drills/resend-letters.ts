import pino from "pino";
import { composeEngines } from "@/server/compose";
import type {
  DeadLetterGroupsAnswer,
  DeadLetterJob,
  DeadLetterJobAnswer,
  DeadLettersAnswer,
  DeadLetterView,
} from "@/server/contracts/dead-letters";
import { TOPICS } from "@/server/domain/terms";
import { killNow, processOf } from "../processes";
import type { Product } from "../product";
import { pause, seeded, until } from "../waiting";
import { createChecks } from "./checks";
import { readOptions } from "./drill";
import type { EngineMode } from "./drill-engines";
import { drained } from "./pipeline";
import { recount } from "./recount";
import type { Row } from "./rows";
import { openStage } from "./stage";

const ROOT = "/api/v1/dead-letters";
/** Event times lie so far ahead: refused when they come, good when they are resent. */
const AHEAD_MS = 30_000;
const TOLERANCE_S = 5;
/** A wait longer than it takes until a claim that led to nothing is given back, in milliseconds. */
const SETTLED_MS = 300_000;

export interface ResendLettersOptions {
  readonly mode: EngineMode;
  readonly short: boolean;
  readonly seed: number;
}

/**
 * Dead letters are resent by a job while people resend the same ones by hand, and worker and web are killed meanwhile:
 * each message is stored once and sent once, each letter says what came of it, and what is refused again is there again.
 */
export async function resendLetters({ mode, short, seed }: ResendLettersOptions): Promise<Row> {
  const began = performance.now();
  const random = seeded(seed);
  const count = short ? 1500 : 8000;
  const kills = short ? 4 : 16;
  const drifts = count / 10;
  const checks = createChecks(`resend-letters on ${mode} engines, seed ${seed}`);
  const stage = await openStage(mode, "plain", { FUTURE_TOLERANCE_SECONDS: String(TOLERANCE_S) });
  const { product } = stage;
  const recoveries: number[] = [];
  const figures = { sent: 0, stored: 0, lost: 0, twice: 0 };
  try {
    const { eventLog, close } = await composeEngines(stage.config(), "drill", pino({ level: "silent" }));
    const append = (messages: readonly object[]) =>
      eventLog.append(
        TOPICS.telemetry,
        messages.map((message) => ({
          key: (message as { device: string }).device,
          value: Buffer.from(JSON.stringify(message)),
        })),
      );
    const from = Date.now();
    const device = (i: number) => `resent-${i % 20}`;
    // Text under a metric's name is refused once the metric has readings; a drifting message has a good reading as well.
    await append([{ device: "first", time: from, readings: { temperature: 1, running: true } }]);
    await drained(product, 1);
    await append(
      Array.from({ length: count }, (_, i) => ({
        device: device(i),
        time: from + AHEAD_MS + i,
        readings: { temperature: i, running: i % 2 === 0 },
      })),
    );
    await append(
      Array.from({ length: drifts }, (_, i) => ({
        device: device(i),
        time: from - 60_000 - i,
        readings: { temperature: `${i} °C`, running: false },
      })),
    );
    await close();
    await drained(product, 1 + count + drifts);
    const before = await countsOf(product);
    checks.equal("dead letters before", before, { open: count + drifts, resending: 0, resent: 0, discarded: 0 });
    await until(() => Date.now() > from + AHEAD_MS + count, {
      timeoutMs: AHEAD_MS * 2,
      what: "the times to have come",
    });

    const body = { action: "resend", filter: {}, perSecond: Math.round(count / 12) };
    const dry = await send<DeadLetterJobAnswer>(product, `${ROOT}/jobs`, { ...body, dryRun: true });
    checks.that("a dry run counts them all", dry?.dryRun?.count === count + drifts, JSON.stringify(dry?.dryRun?.count));
    const job = (await send<DeadLetterJobAnswer>(product, `${ROOT}/jobs`, body))?.job;
    if (!job) throw new Error("the job was not made");

    const hands = { busy: true, sent: 0 };
    const byHand = Promise.all([1, 2, 3].map(() => resendByHand(product, hands, random)));
    for (let kill = 0; kill < kills; kill++) {
      await pause(200 + random() * 1000);
      recoveries.push(await killOne(product, kill % 2 === 0 ? "worker" : "web"));
    }
    hands.busy = false;
    await byHand;

    const state = await ended(product, job.id);
    // A letter that was claimed by hand and given back after the job had passed it waits to be sent again.
    for (let left = await early(product); left > 0; left = await early(product)) {
      const again = await send<DeadLetterJobAnswer>(product, `${ROOT}/jobs`, {
        ...body,
        filter: { reason: "futureTime" },
      });
      if (!again?.job) throw new Error(`no job was made for the ${left} that were given back`);
      await ended(product, again.job.id);
    }
    const { totals } = await drained(product, 1 + count + drifts);

    // The job knows nothing of letters that were sent by hand before it came to them.
    checks.that(
      "the job dealt with what nobody else had",
      state.stored + state.refused === state.done - state.skipped && state.done <= count + drifts,
      `${state.done} by the job, ${state.skipped} of them taken before it; ${hands.sent} by hand`,
    );
    const after = await countsOf(product);
    checks.equal("dead letters after", after, {
      open: drifts,
      resending: 0,
      resent: count + drifts,
      discarded: 0,
    });
    const letters = await everyLetter(product);
    const outcomes = (kind: "sent" | "stored" | "refused" | "restored") =>
      letters.reduce((sum, { history }) => sum + history.filter((event) => event.kind === kind).length, 0);
    const given = outcomes("restored");
    checks.equal("letters that say they were stored", outcomes("stored"), count);
    // Both the letter that was refused again and the one it became say so.
    checks.equal("letters that say they were refused again", outcomes("refused"), 2 * drifts);
    checks.equal("claims, less those given back", outcomes("sent") - given, count + 2 * drifts);
    checks.that(
      "what was refused again comes from a letter that names it",
      letters
        .filter(({ status }) => status === "open")
        .every(({ id, resendOf }) => letters.find((one) => one.id === resendOf)?.resentAs === id),
    );
    const tables = await recount(stage.connectionString());
    // The first message has two readings, a future one two, a drifting one its good one.
    figures.sent = 2 + 2 * count + drifts;
    figures.stored = tables.readings;
    figures.lost = Math.max(0, figures.sent - tables.readings);
    figures.twice = Math.max(0, tables.readings - figures.sent, tables.minuteCounts - figures.sent, totals.duplicates);
    checks.equal("readings stored", tables.readings, figures.sent);
    checks.equal("readings in the totals", totals.readings, figures.sent);
    checks.equal("repeats, so messages sent twice", totals.duplicates, 0);
    checks.equal("messages in the log", totals.messages, 1 + 2 * (count + drifts));
    checks.equal(
      "readings in minute and hour rollups",
      [tables.minuteCounts, tables.hourCounts],
      [figures.sent, figures.sent],
    );
    checks.equal("rollups that differ from a recount", tables.wrongMinutes + tables.wrongHours, 0);
    console.log(`  ${given} claims led to nothing and were given back`);
  } finally {
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  const seconds = (performance.now() - began) / 1000;
  return {
    drill: "resend-letters",
    faults: kills,
    dead: 0,
    ...figures,
    recoveries,
    seconds,
    wrong: [...checks.failed],
  };
}

async function countsOf(product: Product): Promise<DeadLetterGroupsAnswer["counts"]> {
  return (await product.get<DeadLetterGroupsAnswer>(`${ROOT}/groups`)).counts;
}

/** Waits until a job is done and no letter is on its way any more. */
async function ended(product: Product, job: string): Promise<DeadLetterJob> {
  let state: DeadLetterJob | undefined;
  await until(
    async () => {
      state = await product.get<DeadLetterJob>(`${ROOT}/jobs/${job}`).catch(() => undefined);
      if (state?.status === "failed") return true;
      const counts = await countsOf(product).catch(() => undefined);
      return state?.status === "done" && counts?.resending === 0;
    },
    { timeoutMs: SETTLED_MS, everyMs: 500, what: "the job to be done" },
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message} ${JSON.stringify(state)}\n${product.log().slice(-2000)}`);
  });
  if (state?.status !== "done") throw new Error(`The job failed: ${state?.error}\n${product.log().slice(-2000)}`);
  return state;
}

/** Letters of messages that were too early, and still wait. */
async function early(product: Product): Promise<number> {
  return (await product.get<DeadLettersAnswer>(`${ROOT}?limit=500&reason=futureTime`)).items.length;
}

/** Sends newest ones again, one by one, as somebody would who can't wait for the job; failures are sent again. */
async function resendByHand(product: Product, hands: { busy: boolean; sent: number }, random: () => number) {
  while (hands.busy) {
    const page = await product.get<DeadLettersAnswer>(`${ROOT}?limit=20&reason=futureTime`).catch(() => undefined);
    const letter = page?.items[Math.floor(random() * page.items.length)];
    if (letter && (await send(product, `${ROOT}/${letter.id}/resend`, {})) !== undefined) hands.sent++;
    await pause(20);
  }
}

/** POST; undefined when it isn't answered, or not with what was asked for. */
async function send<T>(product: Product, path: string, body: object): Promise<T | undefined> {
  try {
    const answer = await product.fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(40_000),
    });
    return answer.ok ? ((await answer.json()) as T) : void (await answer.text());
  } catch {
    return undefined;
  }
}

/** @returns seconds until its successor runs. */
async function killOne(product: Product, role: "worker" | "web"): Promise<number> {
  const pidOf = () => processOf(product.tree(), role)?.pid;
  await until(() => pidOf() !== undefined, { timeoutMs: 30_000, what: `a ${role} process` });
  const pid = pidOf()!;
  killNow([pid]);
  const killed = performance.now();
  await until(() => (pidOf() ?? pid) !== pid, { timeoutMs: 30_000, what: `the supervisor to start ${role}` });
  return (performance.now() - killed) / 1000;
}

async function everyLetter(product: Product): Promise<readonly DeadLetterView[]> {
  const letters: DeadLetterView[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const more = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: DeadLettersAnswer = await product.get(`${ROOT}?status=all&limit=500${more}`);
    letters.push(...page.items);
    cursor = page.next;
  }
  return letters;
}

export async function main(argv: string[]): Promise<number> {
  const { wrong } = await resendLetters(readOptions(argv));
  return wrong.length === 0 ? 0 : 1;
}
