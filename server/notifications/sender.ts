import type { Pool } from "pg";
import { pause } from "@/server/async/backoff";
import { withinOr } from "@/server/async/timeout";
import { type KeptSecrets, KeptSecretError } from "@/server/config/kept-secrets";
import { CHANNELS, type OpenedChannel } from "@/server/domain/notifications/channel";
import type { EpochMs } from "@/server/domain/terms";
import type { Logger } from "@/server/observability/logger";
import type { AlertChannel, SendOutcome } from "@/server/ports/alert-channel";
import { type ChannelRow, listChannels, openedChannel } from "./channels";
import { dueChannels, giveBack, LEASE_MS, settleMessage, takeMessage } from "./deliveries";
import { standingMessage } from "./standing";
import { tellBack, tellLost } from "./trouble";
import type { WriteBody } from "./write-body";

export interface SenderDeps {
  readonly pool: Pool;
  readonly now: () => EpochMs;
  readonly write: WriteBody;
  readonly open: (opened: OpenedChannel) => AlertChannel;
  readonly keptSecrets: KeptSecrets;
  readonly logger: Logger;
  readonly random?: () => number;
  /** The time after which a message that was taken is sent again, should its process have ended. */
  readonly leaseMs?: number;
  /** Called when a channel has nothing more to send for now, or takes nothing. */
  readonly onSent?: () => void;
}

export interface Sender {
  /** Starts to send what is due, each channel for itself. Resolves before that is done. */
  start(): Promise<void>;
  /** Starts to send again what is still so to channels that forget, when it is time. No message is made of it: it says nothing new. */
  remind(): Promise<void>;
  /** Resolves when nothing is being sent. */
  idle(): Promise<void>;
  /** Lets what is being sent end, for a moment. */
  stop(): Promise<void>;
}

/** The time that attempts under way have to end, in milliseconds. */
const PATIENCE_MS = 3000;

/** Sends what is in the outbox: each channel has a queue of its own, so that one that is slow holds up no other. */
export function createSender(deps: SenderDeps): Sender {
  const { pool, now, write, open, keptSecrets, logger, random = Math.random, leaseMs = LEASE_MS, onSent } = deps;
  const leaving = new AbortController();
  const cutting = new AbortController();
  const busy = new Map<number, Promise<void>>();
  const remindedAt = new Map<number, EpochMs>();
  const opened = new Map<number, { readonly revision: number; readonly channel: AlertChannel }>();

  function channelOf(row: ChannelRow): AlertChannel {
    const known = opened.get(row.id);
    if (known?.revision === row.revision) return known.channel;
    known?.channel.close();
    opened.delete(row.id);
    const channel = open(openedChannel(row, keptSecrets));
    opened.set(row.id, { revision: row.revision, channel });
    return channel;
  }

  async function drain(row: ChannelRow): Promise<void> {
    for (;;) {
      if (leaving.signal.aborted) return;
      const taken = await takeMessage(pool, row.id, now(), leaseMs);
      if (taken === null) return;
      const began = performance.now();
      const outcome = await attempt(row, taken.body, taken.id);
      if (cutting.signal.aborted) return giveBack(pool, taken, "This process stopped before an answer came.");
      const settled = { taken, outcome, tookMs: performance.now() - began, now: now(), random };
      const goesOn = await settleMessage(pool, settled, (tx, what) =>
        (what === "back" ? tellBack : tellLost)(tx, row.id, settled.now, write),
      );
      if (!goesOn) return;
      const gap = CHANNELS[row.kind].gapMs - (performance.now() - began);
      if (gap > 0) await pause(gap, leaving.signal);
    }
  }

  async function remindOf(row: ChannelRow, at: EpochMs): Promise<void> {
    const message = await standingMessage(pool, row, at);
    if (message !== null) await attempt(row, write(row.kind, row.settings, message), message.id);
  }

  async function attempt(row: ChannelRow, body: string, id: string): Promise<SendOutcome> {
    try {
      return await channelOf(row).send(body, { id, at: now(), signal: cutting.signal });
    } catch (error) {
      // The key may be put back.
      const text =
        error instanceof KeptSecretError ? `${error.message} ${error.fix}` : "The channel's settings can't be used.";
      if (!(error instanceof KeptSecretError))
        logger.error({ err: error, channel: row.name }, "a channel failed in itself");
      return { outcome: "retry", answer: { status: null, text }, afterMs: null };
    }
  }

  return {
    async start() {
      const due = (await dueChannels(pool, now())).filter((id) => !busy.has(id));
      if (due.length === 0 || leaving.signal.aborted) return;
      const rows = await listChannels(pool);
      for (const id of due) {
        const row = rows.find((one) => one.id === id);
        if (row === undefined || busy.has(id)) continue;
        const done = drain(row)
          .catch((error: unknown) =>
            logger.warn({ err: error, channel: row.name }, "messages of a channel will be sent again"),
          )
          .finally(() => {
            busy.delete(id);
            onSent?.();
          });
        busy.set(id, done);
      }
    },
    async remind() {
      const at = now();
      const rows = (await listChannels(pool)).filter(({ id, kind, enabled, restsUntil }) => {
        const { againMs } = CHANNELS[kind];
        const isDue = againMs !== null && at - (remindedAt.get(id) ?? -Infinity) >= againMs;
        return isDue && enabled && !busy.has(id) && (restsUntil ?? at) <= at && !leaving.signal.aborted;
      });
      for (const row of rows) {
        remindedAt.set(row.id, at);
        const done = remindOf(row, at)
          .catch((error: unknown) => logger.debug({ err: error, channel: row.name }, "a channel was not reminded"))
          .finally(() => busy.delete(row.id));
        busy.set(row.id, done);
      }
    },
    async idle() {
      while (busy.size > 0) await Promise.all(busy.values());
    },
    async stop() {
      leaving.abort();
      const ended = Promise.all(busy.values());
      await withinOr(PATIENCE_MS, ended, undefined);
      cutting.abort();
      await ended;
      for (const { channel } of opened.values()) channel.close();
    },
  };
}
