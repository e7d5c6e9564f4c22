import path from "node:path";
import type { Config } from "@/server/config/config";
import { createBackoff } from "@/server/async/backoff";
import { ownAddress, telemetryRoute } from "@/server/delivery/target";
import { CANONICAL_MAPPING } from "@/server/domain/message";
import { eventTimes, rewrites, shiftFor } from "./batches";
import { HELP, parseReplayOptions, type ReplayOptions, ReplayUsageError } from "./options";
import { openProgressFile, type ProgressFile, type ReplayProgress } from "./progress-file";
import { replay, ReplayEnded } from "./replay";
import { closingTable, count, createProgressDisplay, type ReplayOutput } from "./report";
import { openSource, type Source } from "./source";

/** What a replay touches besides the server; tests bring their own. */
export interface ReplayEnvironment {
  readonly out: ReplayOutput;
  readonly error: ReplayOutput;
  /** Interrupts the replay as Ctrl-C does. */
  readonly interrupt?: AbortSignal;
}

/** Exit codes of a replay. */
export const EXIT = { done: 0, gaveUp: 1, usage: 2, interrupted: 130 } as const;

/**
 * Replays a recording through the telemetry route.
 * @param argv what stands behind `npm run replay --`.
 * @returns the exit code: 0 everything is settled, 1 the server or the file gave out, 2 wrong use, 130 interrupted.
 */
export async function runReplay(
  argv: string[],
  config: Pick<Config, "server" | "dataDir">,
  environment: ReplayEnvironment = { out: process.stdout, error: process.stderr },
): Promise<number> {
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
    throw problem;
  }
}

async function replayFile(
  options: ReplayOptions,
  config: Pick<Config, "server" | "dataDir">,
  environment: ReplayEnvironment,
): Promise<number> {
  const { out, error } = environment;
  const source = await openSource(options);
  const url = telemetryRoute(options.url ?? ownAddress(config.server));
  const memory = openProgressFile(config.dataDir, identityOf(options, source, url));
  const stopping = createStopping(environment.interrupt);
  try {
    const start = await startPlace(options, source, memory, stopping.stop);
    if (start.number > 0)
      out.write(
        `Going on after item ${count(start.number)}, where the last replay of this file stopped (--restart begins anew).\n`,
      );
    if (
      source.format !== "csv" &&
      !rewrites({ shiftMs: options.shiftToNow ? 0 : null, deviceName: options.deviceName })
    )
      addMapping(url, options);
    out.write(`Replaying ${options.file} (${source.format}) to ${url.origin}${url.pathname}\n`);

    const display = createProgressDisplay(error, source.size);
    const began = Date.now();
    let progress = start;
    let ended: ReplayEnded | null = null;
    try {
      await replay({
        source,
        options,
        start,
        url,
        backoff: createBackoff({ firstMs: 200, maxMs: 5000 }),
        ...stopping,
        onSettled(settled) {
          progress = settled;
          memory.write(settled);
          display.show(settled.bytes, settled.tally.sent);
        },
        onWaiting: (waiting) => display.waiting(waiting?.why ?? null),
      });
    } catch (problem) {
      if (!(problem instanceof ReplayEnded)) throw problem;
      ended = problem;
    } finally {
      display.stop();
    }

    out.write(
      closingTable(progress.tally, { messages: progress.tally.sent - start.tally.sent, ms: Date.now() - began }),
    );
    if (ended === null) {
      memory.clear();
      return EXIT.done;
    }
    error.write(`${ended.message}\n`);
    if (progress.number > 0)
      error.write(`${count(progress.number)} items are settled. The same command goes on from there.\n`);
    return ended.interrupted ? EXIT.interrupted : EXIT.gaveUp;
  } finally {
    stopping.dispose();
  }
}

/** What makes a replay the same one: the recording as it is now, what its messages become, and where they go. */
function identityOf(options: ReplayOptions, source: Source, url: URL): Record<string, unknown> {
  const { mapping, deviceName, columns, zone, delimiter, shiftToNow, speed } = options;
  return {
    file: path.resolve(options.file),
    size: source.size,
    modifiedMs: source.modifiedMs,
    url: url.href,
    format: source.format,
    mapping,
    deviceName,
    columns: columns && [...columns],
    zone,
    delimiter,
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
  if (before !== null && before.bytes <= source.size) return before;
  let shiftMs = 0;
  if (options.shiftToNow) {
    const times = await eventTimes(source, { ...options, shiftMs: null }, stop);
    if (times) shiftMs = shiftFor(times, options.speed, Date.now());
  }
  return {
    file: path.resolve(options.file),
    number: 0,
    bytes: 0,
    shiftMs,
    tally: { sent: 0, accepted: 0, rejected: {} },
  };
}

/** The route maps foreign shapes itself, so that lines go out byte for byte as they are. */
function addMapping(url: URL, { mapping }: ReplayOptions): void {
  for (const part of ["device", "time", "readings"] as const) {
    if (mapping[part] !== CANONICAL_MAPPING[part]) url.searchParams.set(part, mapping[part]);
  }
}

/** How long a request under way may take after Ctrl-C. */
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
