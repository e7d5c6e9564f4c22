import path from "node:path";
import type { Config } from "@/server/config/config";
import { createBackoff } from "@/server/async/backoff";
import { authorizationOf } from "@/server/delivery/authorization";
import { createDelivery } from "@/server/delivery/delivery";
import { createSender } from "@/server/delivery/sender";
import { ownAddress, telemetryRoute, worthPacking } from "@/server/delivery/target";
import type { Logger } from "@/server/observability/logger";
import type { Metrics } from "@/server/observability/metrics/metrics";
import type { Running } from "@/server/observability/running";
import { declareUnits } from "./declare-units";
import { createFleet } from "./fleet";
import { openOutbox } from "./outbox";
import { startOutboxSender } from "./outbox-sender";
import { createSchedule } from "./schedule";

/** Ticks are gathered this long, so that a fleet makes two requests a second, as a gateway does, not one per message. */
const GATHER_MS = 500;

/** Interval of the line that sums up what was sent, in milliseconds. */
const SUMMARY_MS = 60_000;

/** The time a stop waits for the last messages to be delivered, in milliseconds; the rest waits in the outbox. */
const LAST_DELIVERY_MS = 2000;

/**
 * Runs the simulated fleet until stopped. Every message goes to the outbox on disk first and from there, in order,
 * to the telemetry route; a server that is down, now or at the start, only makes the outbox grow.
 * @param metrics tell what was sent and what waits; left out, nothing does
 * @throws StartError if the outbox cannot be opened.
 */
export async function runSimulator(
  config: Config,
  logger: Logger,
  metrics?: Pick<Metrics, "collect">,
): Promise<Running> {
  const settings = config.simulator;
  if (config.demoDevices === 0) {
    logger.info("no simulated devices (DEMO_DEVICES is 0)");
    return { stop: async () => {} };
  }
  const url = telemetryRoute(settings.SIMULATOR_URL ?? ownAddress(config));
  const outbox = await openOutbox(path.join(config.dataDir, "outbox"), settings.OUTBOX_MAX_BYTES);
  const fleet = createFleet({
    seed: settings.SIMULATOR_SEED,
    devices: config.demoDevices,
    intervalMs: settings.SIMULATOR_INTERVAL_MS,
    faultsPerHour: settings.SIMULATOR_FAULTS_PER_HOUR,
  });
  const schedule = createSchedule(fleet, settings.SIMULATOR_INTERVAL_MS, Date.now());

  const stop = new AbortController();
  const cut = new AbortController();
  const authorization = authorizationOf(config);
  const sender = createSender({ url, gzip: worthPacking(url), authorization });
  let away = false;
  const delivery = createDelivery({
    sender,
    backoff: createBackoff({ firstMs: 250, maxMs: 5000 }),
    giveUpAfterMs: null,
    stop: stop.signal,
    cut: cut.signal,
    onWaiting(waiting) {
      if (waiting && !away)
        logger.warn({ url: url.href, why: waiting.why }, "the server does not take messages; they wait in the outbox");
      if (!waiting && away) logger.info({ waiting: outbox.waiting.messages }, "the server takes messages again");
      away = waiting !== null;
    },
  });
  const refusalBackoff = createBackoff({ firstMs: 1000, maxMs: 60_000 });
  const outboxSender = startOutboxSender({ outbox, delivery, backoff: refusalBackoff, logger, stop: stop.signal });
  metrics?.collect("simulator", (set) => {
    const { accepted, rejected } = outboxSender.sent;
    const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
    set("fieldwatch_simulator_sent_messages_total", { outcome: "accepted" }, accepted);
    set("fieldwatch_simulator_sent_messages_total", { outcome: "rejected" }, refused);
    set("fieldwatch_simulator_outbox_messages", {}, outbox.waiting.messages);
    set("fieldwatch_simulator_dropped_messages_total", {}, outbox.dropped);
  });
  const unitsDeclared = declareUnits({
    ...{ url, authorization, devices: fleet.devices, logger, stop: stop.signal },
    backoff: createBackoff({ firstMs: 1000, maxMs: 60_000 }),
  });
  logger.info(
    {
      devices: config.demoDevices,
      intervalMs: settings.SIMULATOR_INTERVAL_MS,
      seed: settings.SIMULATOR_SEED,
      url: url.href,
      waiting: outbox.waiting.messages,
    },
    "simulator started",
  );

  let ending = false;
  let timer: NodeJS.Timeout | undefined;
  let toldDropped = 0;
  let failing = false;
  let summaryAt = Date.now() + SUMMARY_MS;

  /** Says at once when messages begin to be dropped, and when that is over; how many, each minute. */
  function tell(): void {
    const { dropped, failure, waiting } = outbox;
    if (failure !== null && !failing)
      logger.error(
        { err: failure, waiting: waiting.messages },
        "the outbox's disk takes nothing: new messages are dropped until it does; make room on it",
      );
    if (failure === null && failing) logger.info({ dropped }, "the outbox's disk takes messages again");
    failing = failure !== null;
    const due = Date.now() >= summaryAt;
    const news = dropped > toldDropped && (due || toldDropped === 0);
    if (news && !failing)
      logger.warn(
        { dropped: dropped - toldDropped, maxBytes: settings.OUTBOX_MAX_BYTES },
        "the outbox is full: its oldest messages are dropped",
      );
    if (news) toldDropped = dropped;
    if (!due) return;
    summaryAt = Date.now() + SUMMARY_MS;
    logger.info({ ...outboxSender.sent, waiting: waiting.messages, dropped }, "simulator");
  }

  async function generate(): Promise<void> {
    const messages: string[] = [];
    schedule.runUntil(Date.now(), (device, tick) => messages.push(...fleet.messagesAt(device, tick)));
    for (let from = 0; from < messages.length; from += 500) {
      // Messages may wait for long in an outage, so the disk is worth waiting for.
      await outbox.put(messages.slice(from, from + 500), away);
    }
    if (messages.length > 0) outboxSender.wake();
    tell();
  }

  let generating = Promise.resolve();
  function plan(): void {
    const wait = Math.min(1000, Math.max(GATHER_MS, schedule.nextAt() - Date.now()));
    timer = setTimeout(() => {
      generating = generate().then(() => {
        if (!ending) plan();
      });
      generating.catch(fail);
    }, wait);
  }

  // A disk that fails is not the simulator's to repair: it ends loudly, and whoever started it decides.
  function fail(error: unknown): void {
    setImmediate(() => {
      throw error;
    });
  }
  outboxSender.finished.catch(fail);
  outboxSender.wake();
  plan();

  return {
    async stop() {
      ending = true;
      clearTimeout(timer);
      await generating;
      const deadline = Date.now() + LAST_DELIVERY_MS;
      while (outbox.waiting.messages > 0 && !away && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
      stop.abort();
      // A request under way may still be answered; its messages are repeated by the next start otherwise.
      const late = setTimeout(() => cut.abort(), Math.max(100, deadline - Date.now()));
      await Promise.all([outboxSender.finished, unitsDeclared]);
      clearTimeout(late);
      sender.close();
      await outbox.close();
      logger.info(
        { ...outboxSender.sent, waiting: outbox.waiting.messages, dropped: outbox.dropped },
        "simulator stopped",
      );
    },
  };
}
