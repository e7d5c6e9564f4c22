import { within, withinOr } from "@/server/async/timeout";
import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import type { Sites } from "@/server/domain/access";
import type { HealthAnswer } from "@/server/contracts/health";
import type { ProbeMessagesAnswer, ProbeMessageView } from "@/server/contracts/test-message";
import { findProbeMessage, isAt, latestProbeMessages, noteSent } from "./probe-messages";
import { decodeMessage, type DecodeBounds } from "@/server/domain/decode-message";
import { type EpochMs, TOPICS } from "@/server/domain/terms";
import { TEST_METRIC, PROBE_HEADER, type ProbeHandled, type ProbeSent } from "@/server/domain/probe-message";
import type { EventLog } from "@/server/ports/event-log";
import { probeMessageView } from "./probe-message-view";

export interface TestMessagesDeps {
  readonly eventLog: Pick<EventLog, "append">;
  readonly pool: Pool;
  readonly health: () => Pick<HealthAnswer, "probes">;
  /** The id of the trace that a message sent now belongs to; null: there is none. */
  readonly trace: () => string | null;
  /** TRACE_URL. */
  readonly traceUrl: string | undefined;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
  readonly now: () => EpochMs;
  readonly onError: (error: unknown) => void;
}

/** Sends messages to be followed through everything a message goes through, and tells their way. */
export interface TestMessages {
  /**
   * Sends one from `device`, valid or not like any message. Resolves once the log has it, or after a moment: its way
   * tells the rest.
   * @throws TestMessageRefused when it isn't a message, or too many are on their way to the log.
   */
  send(device: string): Promise<ProbeMessageView>;
  /** The way of one so far; null when there is none of that id from a device at these sites, or no more. */
  find(sites: Sites, id: string): Promise<ProbeMessageView | null>;
  /** The latest from devices at these sites, newest first. */
  latest(sites: Sites): Promise<ProbeMessagesAnswer>;
}

export class TestMessageRefused extends Error {
  override readonly name = "TestMessageRefused";
  constructor(
    readonly kind: "invalid" | "busy",
    message: string,
  ) {
    super(message);
  }
}

/** The time an answer waits for the log, in milliseconds. */
const LOG_PATIENCE_MS = 1000;
/** The database may hang; a page that asks again and again must not pile questions up. */
const ASK_TIMEOUT_MS = 2000;
const MOST_WAITING = 10;
const REMEMBERED = 50;
const SHOWN = 5;

export function createTestMessages(deps: TestMessagesDeps): TestMessages {
  const { eventLog, pool, health, trace, traceUrl, bounds, now, onError } = deps;
  /** Messages this process has sent lately: known also while the database is away. */
  const own = new Map<string, ProbeSent>();
  let waiting = 0;

  function remember(id: string, sent: ProbeSent): void {
    own.set(id, sent);
    if (own.size > REMEMBERED) own.delete(own.keys().next().value!);
    noteSent(pool, id, sent).catch(onError);
  }

  async function append(id: string, value: Uint8Array, sent: ProbeSent): Promise<void> {
    const started = performance.now();
    waiting++;
    try {
      await eventLog.append(TOPICS.telemetry, [{ key: sent.device, value, headers: { [PROBE_HEADER]: id } }]);
      remember(id, { ...sent, durableAt: sent.acceptedAt + (performance.now() - started) });
    } catch (error) {
      remember(id, { ...sent, error: error instanceof Error ? error.message : String(error) });
    } finally {
      waiting--;
    }
  }

  const view = (id: string, sent: ProbeSent, handled: ProbeHandled | null | undefined) =>
    probeMessageView({ id, sent, handled, traceUrl, probes: health().probes, now: now() });

  return {
    async send(device) {
      if (waiting >= MOST_WAITING)
        throw new TestMessageRefused("busy", `${waiting} test messages wait for the event log already.`);
      const id = randomUUID();
      const eventTime = now();
      const message = { device, time: new Date(eventTime).toISOString(), readings: { [TEST_METRIC]: 1 }, id };
      const value = Buffer.from(JSON.stringify(message));
      const outcome = decodeMessage(value, bounds());
      if (!outcome.ok) throw new TestMessageRefused("invalid", outcome.detail);
      const traced = trace();
      const sent: ProbeSent = {
        ...{ device, eventTime, acceptedAt: now(), durableAt: null, error: null },
        ...(traced !== null && { trace: traced }),
      };
      own.set(id, sent);
      await withinOr(LOG_PATIENCE_MS, append(id, value, sent), undefined);
      return view(id, own.get(id) ?? sent, null);
    },
    async find(sites, id) {
      const mine = own.get(id);
      if (mine && sites !== "all" && !(await inTime(isAt(pool, sites, mine.device)))) return null;
      const found = await inTime(findProbeMessage(pool, sites, id)).catch((error: unknown) => {
        if (mine === undefined) throw error;
        return undefined;
      });
      const sent = mine ?? found?.sent;
      if (sent === undefined || sent === null) return null;
      return view(id, sent, found === undefined ? undefined : (found?.handled ?? null));
    },
    async latest(sites) {
      const ownNewest = sites === "all" ? [...own].toReversed() : [];
      const found = await inTime(latestProbeMessages(pool, sites, SHOWN)).catch((error: unknown) => {
        if (ownNewest.length === 0) throw error;
        return undefined;
      });
      if (found !== undefined) return { items: found.map(({ id, sent, handled }) => view(id, sent!, handled)) };
      return { items: ownNewest.slice(0, SHOWN).map(([id, sent]) => view(id, sent, undefined)) };
    },
  };
}

/** The database's answer. @throws an outage when it takes too long. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return within(ASK_TIMEOUT_MS, answer, () =>
    Object.assign(new Error(`no answer within ${ASK_TIMEOUT_MS} ms`), { code: "ETIMEDOUT" }),
  );
}
