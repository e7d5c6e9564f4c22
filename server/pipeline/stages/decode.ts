import { setImmediate } from "node:timers/promises";
import { ERASED_RECORD } from "@/server/domain/erased";
import { type DecodeBounds, decodeMessage } from "@/server/domain/decode-message";
import { readSite } from "@/server/domain/site-mark";
import type { EpochMs } from "@/server/domain/terms";
import { readRefused, readSource, type RefusedDelivery } from "@/server/domain/source-mark";
import { deadLetterId, NEVER_RESENT, type DeadLetter } from "@/server/ports/dead-letters";
import type { Received } from "@/server/ports/commit-batch";
import type { StoredRecord } from "@/server/ports/event-log";
import { positionOf, type DecodedBatch, type SourceBatch } from "../batch";
import { createPlainReader } from "../plain-message";
import { printable } from "../printable";

/** The number of records decoded before timers and sockets get their turn. */
const RECORDS_A_TURN = 1000;

export interface DecodeSettings {
  /** The furthest an event time may be ahead of its ingest time, in milliseconds. */
  readonly futureToleranceMs: number;
  /** Reads the furthest it may be behind an ingest time, in milliseconds; null keeps everything. */
  readonly oldestTaken: () => Promise<(ingestTime: EpochMs) => number | null>;
}

/** Reads each record's bytes as a message; what can't be read becomes a dead letter. */
export function createDecode({ futureToleranceMs, oldestTaken }: DecodeSettings) {
  const readPlain = createPlainReader();
  return async (batch: SourceBatch): Promise<DecodedBatch> => {
    const received: Received[] = [];
    const letters: DeadLetter[] = [];
    const oldest = await oldestTaken();
    let bounds: DecodeBounds = { now: NaN, futureToleranceMs, retentionMs: null };
    for (let i = 0; i < batch.records.length; i++) {
      const record = batch.records[i]!;
      if (i % RECORDS_A_TURN === RECORDS_A_TURN - 1) await setImmediate();
      // Judged by ingest time, not by the clock now: a batch that is handled again comes out the same.
      const { ingestTime: now } = record;
      if (now !== bounds.now) bounds = { now, futureToleranceMs, retentionMs: oldest(now) };
      // What was erased from the log.
      if (ERASED_RECORD.equals(record.value)) continue;
      const refused = readRefused(record.headers);
      if (refused !== null) {
        letters.push(deliveryLetter(batch, record, refused));
        continue;
      }
      const message = readPlain(record.value, bounds);
      if (message !== null) {
        received.push({ record, message });
        continue;
      }
      const outcome = decodeMessage(record.value, bounds);
      if (outcome.ok) {
        received.push({ record, message: outcome.message });
        continue;
      }
      const position = positionOf(batch, record);
      letters.push({
        id: deadLetterId(position, null),
        position,
        reason: outcome.reason,
        detail: printable(outcome.detail),
        device: outcome.device ?? null,
        field: null,
        ingestTime: record.ingestTime,
        processedTime: batch.processedTime,
        raw: record.value,
        senderSite: readSite(record.headers),
        source: readSource(record.headers),
        delivery: null,
        ...NEVER_RESENT,
      });
    }
    return { ...batch, received, letters };
  };
}

/** A delivery that its source's mapping could not read, or not all of it. */
function deliveryLetter(batch: SourceBatch, record: StoredRecord, delivery: RefusedDelivery): DeadLetter {
  const position = positionOf(batch, record);
  const [first] = delivery.refusals;
  const more = delivery.refused > 1 ? `, and ${delivery.refused - 1} more` : "";
  const at = first === undefined || first.path === "" ? "" : `${first.path}: `;
  return {
    id: deadLetterId(position, null),
    position,
    reason: "notMapped",
    detail: printable(`${at}${first?.detail ?? ""}${more}`),
    device: null,
    field: null,
    ingestTime: record.ingestTime,
    processedTime: batch.processedTime,
    raw: record.value,
    senderSite: readSite(record.headers),
    source: delivery.source,
    delivery,
    ...NEVER_RESENT,
  };
}
