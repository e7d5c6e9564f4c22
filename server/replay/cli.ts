import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Config } from "@/server/config/config";
import { createBackoff } from "@/server/async/backoff";
import { retentionAnswer } from "@/server/contracts/retention";
import { type Authorization, authorizationOf } from "@/server/delivery/authorization";
import { ownAddress, routeBeside, telemetryRoute } from "@/server/delivery/target";
import type { DecodeBounds } from "@/server/domain/decode-message";
import { CANONICAL_MAPPING } from "@/server/domain/message-mapping";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import { oldestTaken } from "@/server/domain/retention";
import { eventTimes, rewrites, shiftFor } from "./batches";
import { firstRowsTable, readFirstRows } from "./first-rows";
import { readGivenMapping } from "./given-mapping";
import { HELP } from "./help";
import type { DecoderOf } from "./mapper";
import { parseReplayOptions, type ReplayOptions } from "./options";
import { ReplayUsageError } from "./usage-error";
import { askRoute, awaitOutcome, type Outcome } from "./outcome";
import { noProgress, openProgressFile, type ProgressFile, type ReplayProgress } from "./progress-file";
import { replay, ReplayEnded } from "./replay";
import { closingTable, count, createProgressDisplay, lostItems, refusedShare, type ReplayOutput } from "./report";
import { openSource, type Source, SourceBroken } from "./source";

/** The surroundings of a replay besides the server; tests bring their own. */
export interface ReplayEnvironment {
  readonly out: ReplayOutput;
  readonly error: ReplayOutput;
  /** What makes parts of an item's bytes, by the name a mapping calls it. */
  readonly decoderOf: DecoderOf;
  /** Interrupts the replay as Ctrl-C does. */
  readonly interrupt?: AbortSignal;
}

type ReplayConfig = Pick<Config, "server" | "frontDoor" | "access" | "dataDir" | "pipeline">;

/** Exit codes of a replay. */
const EXIT = { done: 0, gaveUp: 1, usage: 2, refused: 3, interrupted: 130 } as const;

/**
 * Replays a recording through the telemetry route.
 * @param argv what stands behind `npm run replay --`.
 * @returns the exit code: 0 done, 1 the server, the worker or the file gave out, 2 wrong use, 3 too much was refused, 130 interrupted.
 */
export async function runReplay(argv: string[], config: ReplayConfig, environment: ReplayEnvironment): Promise<number> {
  const { out, error } = environment;
  try {
    const options = parseReplayOptions(argv);
    if (options === "help") {
      out.write(HELP);
      return EXIT.done;
    }
    return await replayFile(options, config, environment);
  } catch (problem) {
    if (problem instanceof ReplayUsageError) {
      error.write(`${problem.message}\n`);
      return EXIT.usage;
    }
    if (problem instanceof SourceBroken) {
      error.write(`${problem.message}\n`);
      return EXIT.gaveUp;
    }
    throw problem;
  }
}

async function replayFile(
  options: ReplayOptions,
  config: ReplayConfig,
  environment: ReplayEnvironment,
): Promise<number> {
  const url = telemetryRoute(options.url ?? ownAddress(config));
  const given = await readGivenMapping(options, url, authorizationOf(config));
  const source = await openSource(options, given && { ...given, decoderOf: environment.decoderOf });
  if (options.saveMapping !== null) await saveMapping(options.saveMapping, source);
  const memory = openProgressFile(config.dataDir, identityOf(options, source, url));
  const stopping = createStopping(environment.interrupt);
  try {
    return await runOnce({ options, config, environment, source, url, memory, stopping });
  } finally {
    stopping.dispose();
    memory.release();
  }
}

interface Run {
  readonly options: ReplayOptions;
  readonly config: ReplayConfig;
  readonly environment: ReplayEnvironment;
  readonly source: Source;
  readonly url: URL;
  readonly memory: ProgressFile;
  readonly stopping: ReturnType<typeof createStopping>;
}

async function runOnce({ options, config, environment, source, url, memory, stopping }: Run): Promise<number> {
  const { out, error } = environment;
  const authorization = authorizationOf(config);
  const start = await startPlace(options, source, memory, stopping.stop);
  const batchOptions = { ...options, shiftMs: options.shiftToNow ? start.shiftMs : null };
  const bounds = await boundsOf(config, url, authorization);
  const first = await readFirstRows(source, batchOptions, bounds, routeBeside(url, "metrics"), authorization);
  if (first.rows === 0) throw new ReplayUsageError(`${options.file} has no rows: there is nothing to replay.`);
  out.write(firstRowsTable(source, first));
  if (first.rows > first.empty && first.lost.length === first.rows - first.empty && !options.anyway) {
    error.write(
      "Nothing of the first rows can be read, so nothing was sent. Mend it as said above, or send with --anyway.\n",
    );
    return EXIT.refused;
  }
  if (options.check) return first.lost.length > 0 ? EXIT.refused : EXIT.done;

  if (start.number > 0)
    out.write(
      `Going on after item ${count(start.number)}, where the last replay of this file stopped (--restart begins anew).\n`,
    );
  if (source.plan === null && !rewrites(batchOptions)) addMapping(url, options);
  url.searchParams.set("run", start.run);
  out.write(`Replaying ${options.file} (${source.format}) to ${url.origin}${url.pathname}\n`);

  const display = createProgressDisplay(error, source.size);
  const onWaiting = (waiting: { readonly why: string } | null) => display.waiting(waiting?.why ?? null);
  const began = Date.now();
  let progress = start;
  let ended: ReplayEnded | null = null;
  let outcome: Outcome | null = null;
  let sentMs = 0;
  try {
    const backoff = createBackoff({ firstMs: 200, maxMs: 5000 });
    const onSettled = (settled: ReplayProgress) => {
      progress = settled;
      memory.write(settled);
      display.show(settled.bytes, settled.tally.sent);
    };
    await replay({ source, options, start, url, authorization, backoff, ...stopping, onSettled, onWaiting });
    sentMs = Date.now() - began;
    memory.clear();
    const { accepted, again } = progress.tally;
    const waitMs = options.waitSeconds * 1000;
    if (accepted > 0)
      outcome = await awaitOutcome({
        ...{ url, authorization, run: start.run, accepted, again, waitMs, onWaiting },
        stop: stopping.stop,
      });
  } catch (problem) {
    if (!(problem instanceof ReplayEnded)) throw problem;
    ended = problem;
    sentMs = Date.now() - began;
  } finally {
    display.stop();
  }

  out.write(closingTable(progress.tally, outcome, { messages: progress.tally.sent - start.tally.sent, ms: sentMs }));
  if (ended !== null) {
    error.write(`${ended.message}\n`);
    if (progress.number > 0)
      error.write(`${count(progress.number)} items are settled. The same command goes on from there.\n`);
    return ended.interrupted ? EXIT.interrupted : EXIT.gaveUp;
  }
  if (outcome?.problem) error.write(`${outcome.problem}\n`);
  const lost = lostItems(progress.tally);
  if (lost !== null) error.write(`${lost}\n`);
  const share = refusedShare(progress.tally, outcome);
  const allowed = options.maxRefused ?? MAX_REFUSED;
  if (share > allowed) {
    error.write(
      `Of ${percent(share)} of the messages something was refused; ${percent(allowed)} are allowed (--max-refused). The table names the reasons, the dead letters page shows each.\n`,
    );
    return EXIT.refused;
  }
  if (options.maxRefused === null && (lost !== null || hasLostMessages(outcome))) return EXIT.refused;
  if (outcome?.problem) return stopping.stop.aborted ? EXIT.interrupted : EXIT.gaveUp;
  return EXIT.done;
}

/** Share of messages of which something may be refused, unless it is stated. */
const MAX_REFUSED = 0.01;

/** True if the pipeline took nothing of some message. */
function hasLostMessages(outcome: Outcome | null): boolean {
  return outcome?.run?.refused.some(({ reason }) => DEAD_LETTER_REASONS[reason].scope === "message") === true;
}

async function saveMapping(file: string, { plan }: Source): Promise<void> {
  if (plan === null)
    throw new ReplayUsageError(
      "--save-mapping: no mapping reads this file: its lines go out as they are, and the telemetry route reads them.",
    );
  try {
    await writeFile(file, `${JSON.stringify(plan.mapping, null, 2)}\n`);
  } catch (error) {
    throw new ReplayUsageError(
      `--save-mapping: ${file} can't be written: ${(error as Error).message}. Name a file in a folder that is there and can be written to.`,
      { cause: error },
    );
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}

/** The bounds a message is judged by: how old one may be the server says, where it doesn't or not to us, this machine's configuration. */
async function boundsOf({ pipeline }: ReplayConfig, url: URL, authorization: Authorization): Promise<DecodeBounds> {
  const { FUTURE_TOLERANCE_SECONDS: seconds, READINGS_RETENTION_DAYS: days } = pipeline;
  const there = await askRoute(routeBeside(url, "retention"), retentionAnswer, authorization);
  const raw = there === null || there === "unknown" ? undefined : there.items.find(({ keeps }) => keeps === "raw");
  const goneBefore = raw?.goneBefore ? Date.parse(raw.goneBefore) : null;
  const now = Date.now();
  const oldest = oldestTaken({ days: raw ? raw.days : days || null, goneBefore });
  return { now, futureToleranceMs: seconds * 1000, retentionMs: oldest(now) };
}

/** Returns the identity of a replay: the recording as it is now, what its messages become, and where they go. */
function identityOf(options: ReplayOptions, source: Source, url: URL): Record<string, unknown> {
  const { mapping, deviceName, shiftToNow, speed } = options;
  return {
    file: path.resolve(options.file),
    size: source.size,
    modifiedMs: source.modifiedMs,
    url: url.href,
    format: source.format,
    ...(source.plan === null ? { mapping, deviceName } : { mapping: source.plan.mapping }),
    // A shift depends on the speed; without one, an interrupted replay may go on at another.
    shiftedAtSpeed: shiftToNow ? String(speed) : null,
  };
}

async function startPlace(
  options: ReplayOptions,
  source: Source,
  memory: ProgressFile,
  stop: AbortSignal,
): Promise<ReplayProgress> {
  const before = options.restart ? null : memory.read();
  if (before !== null && before.bytes <= source.size) {
    // The batch that was on its way may have arrived.
    return { ...before, tally: { ...before.tally, again: before.tally.again + options.batch } };
  }
  let shiftMs = 0;
  if (options.shiftToNow) {
    const times = await eventTimes(source, { ...options, shiftMs: null }, stop);
    if (times) shiftMs = shiftFor(times, options.speed, Date.now());
  }
  return noProgress(options.file, shiftMs);
}

/** The route maps foreign shapes itself, so that lines go out byte for byte as they are. */
function addMapping(url: URL, { mapping }: ReplayOptions): void {
  for (const part of ["device", "time", "readings"] as const) {
    if (mapping[part] !== CANONICAL_MAPPING[part]) url.searchParams.set(part, mapping[part]);
  }
}

/** The time a request under way may take after Ctrl-C, in milliseconds. */
const LAST_ANSWER_MS = 3000;

/** npm passes on a Ctrl-C that the terminal has sent here already: so soon after the first it is no second one. */
const SAME_SIGNAL_MS = 500;

/** Ctrl-C ends waiting at once, and a request under way a little later, or with a second Ctrl-C. */
function createStopping(interrupt: AbortSignal | undefined): {
  stop: AbortSignal;
  cut: AbortSignal;
  dispose: () => void;
} {
  const stop = new AbortController();
  const cut = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let firstAt = 0;
  const end = () => {
    if (stop.signal.aborted) {
      if (Date.now() - firstAt > SAME_SIGNAL_MS) cut.abort();
      return;
    }
    firstAt = Date.now();
    stop.abort();
    timer = setTimeout(() => cut.abort(), LAST_ANSWER_MS);
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  interrupt?.addEventListener("abort", end);
  if (interrupt?.aborted) end();
  return {
    stop: stop.signal,
    cut: cut.signal,
    dispose() {
      clearTimeout(timer);
      process.off("SIGINT", end).off("SIGTERM", end);
      interrupt?.removeEventListener("abort", end);
    },
  };
}
