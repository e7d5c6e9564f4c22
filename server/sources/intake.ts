import type { Mapped, MappedMessage } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";
import { type DecodeBounds, type DecodeOutcome, judgeTime } from "@/server/domain/decode-message";
import { columnsOf, type DecodedMessage, type ReadingValue } from "@/server/domain/message";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { AnswerPolicy, DeliveryRefusal, SourceDoor } from "@/server/domain/source";
import { fromHeaders } from "@/server/domain/from-mark";
import { siteHeaders } from "@/server/domain/site-mark";
import { refusedHeaders, sourceHeaders } from "@/server/domain/source-mark";
import { MESSAGE_LIMITS } from "@/server/domain/terms";
import type { LogRecord, RecordHeaders } from "@/server/ports/event-log";
import type { DoorCounting } from "./counts";
import type { Incoming } from "./read";
import type { Sampling } from "./samples";

/** A source as doors need it: its row, and its mapping. */
export interface OpenSource {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly answer: AnswerPolicy;
  readonly site: { readonly id: number; readonly name: string } | null;
  /** Of all its devices; what the mapping says of one wins. */
  readonly labels: Readonly<Record<string, string>>;
  /** Nothing is taken for one that is not. */
  readonly enabled: boolean;
  readonly door: SourceDoor;
  /** What the door signs in with elsewhere; null for none. Encrypted, but for the door itself. */
  readonly doorSecret: string | null;
  /** Lasting rates; null for no limit of its own. */
  readonly messagesPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  readonly mappingVersion: number;
  readonly mapping: Mapping;
  /** Grows with every change of the row. */
  readonly revision: number;
}

/** What became of one delivery. What was accepted is durable. */
export interface Taken {
  /** Messages that the log holds. */
  readonly accepted: number;
  /** True if the mapping's rules say that nothing of it is data. */
  readonly ignored: boolean;
  /** What could not be read, or may not be sent: the first of it. Kept as a dead letter if the source's policy is webhook. */
  readonly refused: readonly DeliveryRefusal[];
  /** How much was refused, those past the first included. */
  readonly refusals: number;
  /** True if the whole delivery was appended, to become a dead letter. */
  readonly isKept: boolean;
}

/** What waits for the log on behalf of its sender, and is let go of with its answer. */
interface Held {
  release(): void;
}

/** Every door of a source ends here: decodes, maps, appends durably, counts, and keeps samples. */
export interface Intake {
  /**
   * @param held is released when the log has answered, or on a refusal.
   * @throws IngestRefusedError where a limit holds (nothing was taken), LogUnavailableError when the log can't or doesn't answer: then all of it
   * comes again.
   */
  take(source: OpenSource, delivery: Incoming, held?: Held): Promise<Taken>;
  /** As {@link take}, with one append for all of them; in order. */
  takeAll(source: OpenSource, deliveries: readonly Incoming[], held?: Held): Promise<readonly Taken[]>;
}

/** The sources there are, as of the latest change that PostgreSQL told of. */
export interface Sources {
  /** The source of this name; null if there is none, or it is disabled. */
  named(name: string): Promise<OpenSource | null>;
  /** The source of this number, as {@link named}. */
  numbered(id: number): Promise<OpenSource | null>;
  /** All that are enabled. */
  all(): Promise<readonly OpenSource[]>;
  /** Calls back whenever one may have changed. @returns stops it. */
  onChange(changed: () => void): () => void;
}

/** Lasting rates of a sender; 0 for no limit. */
interface Rates {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What the intake needs of the room of all doors, see server/ingest/accept.ts. */
type AcceptItems<Sender> = (
  items: (bounds: DecodeBounds) => Iterable<{
    readonly bytes: Uint8Array;
    readonly outcome: DecodeOutcome;
    readonly headers?: RecordHeaders;
  }>,
  how: {
    readonly sender: Sender;
    readonly headers: RecordHeaders;
    readonly most: number;
    readonly rejected: (item: {
      readonly index: number;
      readonly reason: DeadLetterReason;
      readonly detail: string;
    }) => void;
    readonly keeping: {
      readonly records: () => readonly LogRecord[];
    };
  },
  held: Held,
) => Promise<unknown>;

export interface IntakeDeps<Sender extends { readonly use: unknown }> {
  /** Decodes and maps. Never throws: what can't be read is a refusal. */
  readonly read: (source: OpenSource, delivery: Incoming) => Mapped;
  readonly accept: AcceptItems<Sender>;
  /** Who all that send to a source are, to limits. */
  readonly senderOf: (source: OpenSource) => Sender;
  readonly pace: {
    check(use: Sender["use"], own: Rates): void;
    spend(use: Sender["use"], used: { readonly bytes: number }): void;
  };
  /** The rates of a source that has none of its own. */
  readonly rates: Rates;
  /** The most messages of one delivery. */
  readonly maxMessages: number;
  /** The error that tells a sender that a delivery holds more than is taken at once. */
  readonly tooLarge: (detail: string) => Error;
  readonly counting: Pick<DoorCounting, "add">;
  readonly sampling: Pick<Sampling, "add">;
}

/** The largest delivery that can be kept whole, in bytes: logs take no larger records. */
export const MOST_KEPT_BYTES = 768 * 1024;
/** The refusals that are told one by one, and kept with a delivery. */
const MOST_TOLD = 20;

const NOTHING_HELD: Held = { release: () => {} };

/** A delivery on its way. */
interface Work {
  readonly delivery: Incoming;
  mapped: Mapped;
  /** What the doors' common judgement says of what the mapping made. */
  readonly rejected: DeliveryRefusal[];
  isKept: boolean;
}

const NOTHING: Mapped = { messages: [], refused: [], ignored: new Map(), leaves: null };

export function createIntake<Sender extends { readonly use: unknown }>(deps: IntakeDeps<Sender>): Intake {
  const { read, accept, senderOf, pace, rates, counting, sampling } = deps;

  async function takeAll(source: OpenSource, deliveries: readonly Incoming[], held: Held = NOTHING_HELD) {
    const sender = senderOf(source);
    const works = deliveries.map((delivery): Work => ({ delivery, mapped: NOTHING, rejected: [], isKept: false }));
    const owners: Work[] = [];
    function* items(bounds: DecodeBounds) {
      for (const work of works) {
        work.mapped = tooLarge(source, work.delivery) ?? read(source, work.delivery);
        const [first] = work.mapped.refused;
        // Its sender is told to send it in parts.
        if (source.answer === "strict" && first?.path === "" && first.reason === "tooLarge")
          throw deps.tooLarge(first.detail);
        const { from, traceparent } = work.delivery;
        for (const [place, message] of work.mapped.messages.entries()) {
          owners.push(work);
          const outcome = judge(message, bounds);
          const headers = { ...(from && fromHeaders({ ...from, place })), ...(traceparent && { traceparent }) };
          yield { bytes: message.bytes, outcome, ...((from || traceparent) && { headers }) };
        }
      }
    }
    try {
      pace.check(sender.use, {
        messagesPerSecond: source.messagesPerSecond ?? rates.messagesPerSecond,
        bytesPerSecond: source.bytesPerSecond ?? rates.bytesPerSecond,
      });
      pace.spend(sender.use, { bytes: deliveries.reduce((sum, { body }) => sum + body.byteLength, 0) });
    } catch (error) {
      held.release();
      throw error;
    }
    await accept(
      items,
      {
        sender,
        headers: sourceHeaders(source.name, source.mappingVersion),
        most: deps.maxMessages * deliveries.length,
        rejected: ({ index, reason, detail }) => owners[index]!.rejected.push({ path: "", reason, detail }),
        keeping: {
          records: () => works.flatMap((work) => keep(source, work) ?? []),
        },
      },
      held,
    );
    return works.map((work) => settled(source, work));
  }

  /** Counts a delivery of which all is durable that will be. */
  function settled(source: OpenSource, { delivery, mapped, rejected, isKept }: Work): Taken {
    const refused = [...mapped.refused, ...rejected];
    const taken = {
      accepted: mapped.messages.length - rejected.length,
      ignored: mapped.messages.length === 0 && refused.length === 0,
      refused: refused.slice(0, MOST_TOLD),
      refusals: refused.length,
      isKept,
    };
    counting.add(source.name, {
      ...{ at: delivery.arrived, bytes: delivery.body.byteLength, accepted: taken.accepted },
      ...{ isIgnored: taken.ignored, isKept, refused },
      ignoredBy: mapped.ignored,
    });
    sampling.add(source, delivery, taken);
    return taken;
  }

  return {
    takeAll,
    async take(source, delivery, held) {
      const [taken] = await takeAll(source, [delivery], held);
      return taken!;
    },
  };
}

function tooLarge({ answer }: OpenSource, { body }: Incoming): Mapped | null {
  if (answer !== "webhook" || body.byteLength <= MOST_KEPT_BYTES) return null;
  const detail = `${body.byteLength} bytes; the limit is ${MOST_KEPT_BYTES}, as no more can be kept`;
  return { ...NOTHING, refused: [{ path: "", reason: "tooLarge", detail }] };
}

/** What decoding will find in a message that a mapping made. */
function judge({ bytes, device, time, readings, isState }: MappedMessage, bounds: DecodeBounds): DecodeOutcome {
  if (bytes.byteLength > MESSAGE_LIMITS.bytes)
    return {
      ...{ ok: false, reason: "tooLarge", device },
      detail: `${bytes.byteLength} bytes; the limit is ${MESSAGE_LIMITS.bytes}`,
    };
  const wrongTime = judgeTime(time, bounds);
  if (wrongTime !== null) return { ok: false, ...wrongTime, device };
  const values: [string, ReadingValue][] = [];
  const texts: DecodedMessage["texts"][number][] = [];
  // State names no metrics.
  for (const { metric, value } of isState ? [] : readings)
    if (typeof value === "string") texts.push([metric, value]);
    else values.push([metric, value]);
  const message = { device, eventTime: time, ...columnsOf(values), texts, rounded: [], refused: [], refusedLabels: [] };
  return { ok: true, message };
}

/** The record that keeps a delivery whole, if something of it was refused and its sender isn't told. */
function keep(source: OpenSource, work: Work): LogRecord | null {
  const { delivery, mapped, rejected } = work;
  const refused = mapped.refused.length + rejected.length;
  if (source.answer !== "webhook" || refused === 0 || delivery.body.byteLength > MOST_KEPT_BYTES) return null;
  work.isKept = true;
  const { arrived, beside, from, traceparent } = delivery;
  const refusals = [...mapped.refused, ...rejected].slice(0, MOST_TOLD);
  return {
    key: `source/${source.name}`,
    value: delivery.body,
    headers: {
      ...(source.site && siteHeaders(source.site.name)),
      // Kept ones are appended after the messages of all deliveries: in an order of their own.
      ...(from && fromHeaders({ ...from, lane: `${from.lane} kept`, place: 0 })),
      ...(traceparent && { traceparent }),
      ...refusedHeaders({
        source: source.name,
        version: source.mappingVersion,
        ...{ arrived, beside, refused },
        refusals: refusals.map(({ path, reason, detail }) => ({ path: cut(path), reason, detail: cut(detail) })),
      }),
    },
  };
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
