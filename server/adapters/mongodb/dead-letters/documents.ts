import type { Filter } from "mongodb";
import type { DeadLetterReason } from "@/server/domain/reasons";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import {
  type DeadLetter,
  type DeadLetterEvent,
  type DeadLetterFilter,
  type KeptDeadLetter,
  MOST_EVENTS,
} from "@/server/ports/dead-letters";
import { originalText, storableText } from "../text";
import { type OlderWords, resendsOf, statusOf, type StoredStatus, storedStatuses } from "./older-words";

/** A dead letter as it is kept. Those stored before there were resends lack everything that is optional here. */
export interface LetterDocument extends OlderWords {
  /** The letter's id. */
  readonly _id: string;
  readonly log: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly device: string | null;
  readonly field: string | null;
  readonly ingestTime: Date;
  readonly processedTime: Date;
  /** The bytes; the driver writes and reads them as Binary. */
  readonly raw: Uint8Array;
  readonly status?: StoredStatus;
  readonly senderSite?: string;
  readonly resendOf?: string | null;
  readonly resentAs?: string | null;
  readonly resends?: number | null;
  readonly history?: readonly EventDocument[];
  readonly changedAt?: Date | null;
  readonly source?: string | null;
  /** JSON: its names may be none that MongoDB takes. */
  readonly delivery?: string | null;
  /** Mark of the call that changed it last. */
  readonly changedBy?: string;
  /** The job that changed it last. */
  readonly job?: string;
}

interface EventDocument extends Omit<DeadLetterEvent, "time"> {
  readonly time: Date;
}

export function documentOf(letter: DeadLetter): LetterDocument {
  const { id, position, reason, detail, device, field, ingestTime, processedTime, raw } = letter;
  return {
    _id: id,
    log: position.log,
    partition: position.partition,
    offset: position.offset,
    reason,
    detail: storableText(detail),
    device: device === null ? null : storableText(device),
    field: field === null ? null : storableText(field),
    ingestTime: new Date(ingestTime),
    processedTime: new Date(processedTime),
    raw,
    status: "open",
    ...(letter.senderSite !== null && { senderSite: storableText(letter.senderSite) }),
    resendOf: letter.resendOf,
    resends: letter.resends,
    history: letter.history.slice(-MOST_EVENTS).map(eventDocumentOf),
    source: letter.source,
    delivery: letter.delivery && JSON.stringify(letter.delivery),
  };
}

export function eventDocumentOf(event: DeadLetterEvent): EventDocument {
  return { ...event, time: new Date(event.time), detail: storableText(event.detail) };
}

export function letterOf(document: LetterDocument): KeptDeadLetter {
  const { _id, log, partition, offset, reason, detail, device, field, ingestTime, processedTime, raw } = document;
  return {
    id: _id,
    position: { log, partition, offset },
    reason,
    detail: originalText(detail),
    device: device === null ? null : originalText(device),
    field: field === null ? null : originalText(field),
    ingestTime: ingestTime.getTime(),
    processedTime: processedTime.getTime(),
    raw,
    status: statusOf(document.status),
    senderSite: document.senderSite === undefined ? null : originalText(document.senderSite),
    resendOf: document.resendOf ?? document.replayOf ?? null,
    resentAs: document.resentAs ?? document.replayedAs ?? null,
    resends: resendsOf(document),
    history: (document.history ?? []).map((event) => ({
      time: event.time.getTime(),
      kind: event.kind,
      detail: originalText(event.detail),
      edited: event.edited,
    })),
    changedAt: document.changedAt?.getTime() ?? null,
    source: document.source ?? null,
    delivery: document.delivery ? (JSON.parse(document.delivery) as RefusedDelivery) : null,
  };
}

/** Names what is at some sites now, of another engine's catalog. */
export interface Places {
  devices(sites: readonly number[]): Promise<readonly string[]>;
  sources(sites: readonly number[]): Promise<readonly string[]>;
}

/** Writes the condition for the letters a filter asks for, in whatever words they were stored. */
export async function filterOf(
  { sites, status, reason, device, field, source, until, job }: DeadLetterFilter,
  places: Places,
): Promise<Filter<LetterDocument>> {
  const asked: Filter<LetterDocument> = {
    ...(status !== undefined && { status: { $in: storedStatuses([status]) } }),
    ...(reason !== undefined && { reason }),
    ...(device !== undefined && { device: device === null ? null : storableText(device) }),
    ...(field !== undefined && { field: field === null ? null : storableText(field) }),
    ...(source !== undefined && { source }),
    ...(until !== undefined && { ingestTime: { $lte: new Date(until) } }),
    ...(job !== undefined && { job }),
  };
  if (sites === "all") return asked;
  const [devices, sources] = await Promise.all([places.devices(sites), places.sources(sites)]);
  return {
    $and: [{ $or: [{ device: { $in: [...devices] } }, { device: null, source: { $in: [...sources] } }] }, asked],
  };
}
