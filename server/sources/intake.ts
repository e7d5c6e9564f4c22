import type { AnswerPolicy, DeliveryRefusal, SourceDoor } from "@/server/domain/source";
import type { Delivery } from "@/server/domain/mapping/delivery";
import type { Mapping } from "@/server/domain/mapping/mapping";

/** A source as doors need it: its row, and its mapping. */
export interface OpenSource {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly answer: AnswerPolicy;
  readonly site: { readonly id: number; readonly name: string } | null;
  /** Nothing is taken for one that is not. */
  readonly enabled: boolean;
  readonly door: SourceDoor;
  /** What the door signs in with elsewhere; null for none. */
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

/** Every door of a source ends here: decodes, maps, appends durably, counts, and keeps samples. */
export interface Intake {
  /**
   * @throws IngestRefusedError where a limit holds (nothing was taken), LogUnavailableError when the log can't or doesn't answer: then all of it
   * comes again.
   */
  take(source: OpenSource, delivery: Delivery): Promise<Taken>;
  /** As {@link take}, with one append for all of them; in order. */
  takeAll(source: OpenSource, deliveries: readonly Delivery[]): Promise<readonly Taken[]>;
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
