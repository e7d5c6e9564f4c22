import type { EpochMs } from "@/server/domain/terms";
import type { ArchivedMessage, MessageArchive } from "@/server/ports/message-archive";

/** When a message came. */
export interface Arrival {
  readonly ingest: EpochMs;
  readonly processed: EpochMs;
  readonly event: EpochMs;
  /** False for a goodbye, and what brings values of unknown age alone. */
  readonly isHeard: boolean;
}

const HOUR = 3_600_000;
/** The most messages that are looked at, and at a time. */
const MOST = 20_000;
const AT_ONCE = 5000;
/** Clocks of devices may be ahead by as much. */
const AHEAD_MS = 600_000;
/** Beyond the end of a stretch late messages are looked for so far, one step after the other, and up to now. */
const STEPS_MS = [HOUR, 6 * HOUR, 24 * HOUR, 7 * 24 * HOUR];

/**
 * Reads when a device's messages came, in the order in which they did: those around [from, to], and later ones until each of `events` is found.
 * What the archive doesn't keep any more, or lies beyond 20,000 messages, is left out.
 * @param events event times, ascending
 */
export async function readArrivals(
  archive: Pick<MessageArchive, "find">,
  device: string,
  {
    from,
    to,
    now,
    events,
  }: { readonly from: EpochMs; readonly to: EpochMs; readonly now: EpochMs; readonly events: readonly EpochMs[] },
): Promise<Arrival[]> {
  const missing = new Set(events);
  const found: Arrival[] = [];
  let [low, left] = [from - AHEAD_MS, MOST];
  for (const step of [0, ...STEPS_MS, Infinity]) {
    const high = Math.min(to + step, now) + 1;
    if (high <= low) continue;
    const some = await between(archive, device, low, high, left);
    found.push(...some.map(arrivalOf));
    for (const { eventTime } of some) missing.delete(eventTime);
    left -= some.length;
    if (missing.size === 0 || left <= 0 || high > now) break;
    low = high;
  }
  return found;
}

/** Messages that came in [low, high), the oldest first. */
async function between(
  archive: Pick<MessageArchive, "find">,
  device: string,
  low: EpochMs,
  high: EpochMs,
  most: number,
): Promise<ArchivedMessage[]> {
  const found: ArchivedMessage[] = [];
  let after = { ingestTime: high, partition: 0, offset: 0 };
  for (;;) {
    const limit = Math.min(AT_ONCE, most - found.length);
    if (limit <= 0) break;
    const page = await archive.find({ device, limit, after });
    const within = page.filter(({ ingestTime }) => ingestTime >= low);
    found.push(...within);
    if (within.length < limit) break;
    const { ingestTime, position } = within.at(-1)!;
    after = { ingestTime, partition: position.partition, offset: position.offset };
  }
  return found.reverse();
}

function arrivalOf({ ingestTime, processedTime, eventTime, body }: ArchivedMessage): Arrival {
  return { ingest: ingestTime, processed: processedTime, event: eventTime, isHeard: isHeard(body) };
}

/** As `isStateOnly` of the pipeline: what brings readings is heard whatever else it says. */
function isHeard(body: string): boolean {
  if (!body.includes('"gone"') && !body.includes('"state"')) return true;
  try {
    const { readings, gone, state } = JSON.parse(body) as { readings?: object; gone?: unknown; state?: unknown };
    return (gone === undefined && state === undefined) || Object.keys(readings ?? {}).length > 0;
  } catch {
    return true;
  }
}
