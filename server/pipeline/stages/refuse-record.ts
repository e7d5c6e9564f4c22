import { readSite } from "@/server/domain/site-mark";
import { classOf } from "@/server/postgres/error-classes";
import { readRefused, readSource } from "@/server/domain/source-mark";
import { deadLetterId, NEVER_RESENT, type DeadLetter } from "@/server/ports/dead-letters";
import type { StoredRecord } from "@/server/ports/event-log";
import {
  isGivenUp,
  positionOf,
  type Committed,
  type EnrichedBatch,
  type SourceBatch,
  type SettlingBatch,
} from "../batch";
import { printable } from "../printable";

/** The bytes kept of a record that no store takes whole; far below what the smallest of them takes. */
const CUT_BYTES = 1024 * 1024;
const HEADER_LENGTH = 80;
const MOST_HEADERS = 10;

export interface RefuseDeps {
  readonly findSettlements: (batch: EnrichedBatch) => Promise<SettlingBatch>;
  readonly storeDocuments: (batches: readonly EnrichedBatch[]) => Promise<void>;
  readonly settleResends: (batch: SettlingBatch) => Promise<void>;
  readonly commit: (batches: readonly SettlingBatch[], signal: AbortSignal) => Promise<readonly Committed[]>;
  readonly tryCommit: (batches: readonly SettlingBatch[], signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps a record that made a stage fail as a dead letter, and moves on. When that fails by the record's content too, it is
 * kept in a plainer form: first without what it says of itself, then without most of its bytes. @throws when nothing is kept.
 */
export function createRefuseRecord({ findSettlements, storeDocuments, settleResends, commit, tryCommit }: RefuseDeps) {
  return async (source: SourceBatch, record: StoredRecord, error: unknown, signal: AbortSignal): Promise<Committed> => {
    const whole = letterOf(source, record, `${wordsOf(error)}${contextOf(record)}`);
    const plain = letterOf(source, record, "The worker failed at this message, and at keeping what it says of itself.");
    const forms: (() => Promise<SettlingBatch>)[] = [
      () => findSettlements(batchOf(source, whole)),
      async () => ({ ...batchOf(source, plain), settlements: [] }),
    ];
    if (record.value.byteLength > CUT_BYTES) {
      const detail = `The worker failed at this message, and no store takes its ${record.value.byteLength} bytes: the first ${CUT_BYTES} are kept.`;
      const cut = { ...letterOf(source, record, detail), raw: record.value.subarray(0, CUT_BYTES) };
      forms.push(async () => ({ ...batchOf(source, cut), settlements: [] }));
    }
    let failure: unknown;
    for (const form of forms) {
      try {
        const settling = await form();
        // What fails without its message, too, is no fault of it: a letter that is stored and never committed would stay when the message is stored after all.
        await tryCommit([settling], signal);
        await storeDocuments([settling]);
        const [committed] = await commit([settling], signal);
        await settleResends(settling);
        return committed!;
      } catch (caught) {
        if (isGivenUp(caught) || classOf(caught) !== "unhandled") throw caught;
        failure = caught;
      }
    }
    throw failure;
  };
}

function batchOf(source: SourceBatch, letter: DeadLetter): EnrichedBatch {
  return { ...source, epoch: null, messages: [], letters: [letter] };
}

function letterOf(source: SourceBatch, record: StoredRecord, detail: string): DeadLetter {
  const position = positionOf(source, record);
  return {
    id: deadLetterId(position, null),
    position,
    reason: "internalError",
    detail,
    device: null,
    field: null,
    ingestTime: record.ingestTime,
    processedTime: source.processedTime,
    raw: record.value,
    senderSite: readSite(record.headers),
    source: readSource(record.headers),
    delivery: readRefused(record.headers),
    ...NEVER_RESENT,
  };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const { code } = error as { code?: unknown };
  return printable(`${error.name}: ${error.message}${typeof code === "string" ? ` (${code})` : ""}`);
}

/** Describes the record's key and headers, shortened: they may be what was at fault. */
function contextOf({ key, headers }: StoredRecord): string {
  const parts = Object.entries(headers)
    .slice(0, MOST_HEADERS)
    .map(([name, value]) => `header ${printable(name, HEADER_LENGTH)}: ${printable(value, HEADER_LENGTH)}`);
  if (key !== null) parts.unshift(`key ${printable(key, HEADER_LENGTH)}`);
  return parts.length === 0 ? "" : ` [${parts.join("; ")}]`;
}
