import { OWN_SOURCE, SOURCE_NAME } from "./source";
import type { Beside } from "./mapping/delivery";
import type { DeliveryRefusal } from "./source";
import type { EpochMs } from "./terms";

/** Headers of a record in the event log: the source it comes from, and the version of the mapping that made it. */
const SOURCE_HEADER = "fieldwatch-source";
const MAPPING_HEADER = "fieldwatch-mapping";
/** Header of a record that is a whole delivery, of which something was refused: what is to be known of it. */
export const REFUSED_HEADER = "fieldwatch-refused";

/** Returns the headers of a record that a source's mapping made. @param version of it; null if that isn't known any more. */
export function sourceHeaders(source: string, version: number | null): Record<string, string> {
  return { [SOURCE_HEADER]: source, ...(version !== null && { [MAPPING_HEADER]: String(version) }) };
}

/**
 * The source a record comes from; Fieldwatch's own for one that says nothing of it, or nothing that names one. Whoever writes to the log directly can
 * set it: it decides what is counted where, and whether units are guessed from names, and nothing else.
 */
export function readSource(headers: Readonly<Record<string, string>>): string {
  const source = headers[SOURCE_HEADER];
  return source !== undefined && SOURCE_NAME.test(source) ? source : OWN_SOURCE;
}

/** What is known of a delivery that is kept whole, beside its bytes. JSON as it is: dead letters keep it. */
export interface RefusedDelivery {
  readonly source: string;
  /** Of the mapping that refused it. */
  readonly version: number;
  readonly arrived: EpochMs;
  readonly beside: Beside;
  /** The first of what was refused. */
  readonly refusals: readonly DeliveryRefusal[];
  /** How much was refused in all. */
  readonly refused: number;
}

/** Returns the headers of a record that is a whole delivery; the event log signs them. */
export function refusedHeaders(delivery: RefusedDelivery): Record<string, string> {
  return {
    ...sourceHeaders(delivery.source, delivery.version),
    [REFUSED_HEADER]: JSON.stringify(delivery),
  };
}

/** The delivery a record is; null for one that is a message. Signed, so that what stands there is what {@link refusedHeaders} wrote. */
export function readRefused(headers: Readonly<Record<string, string>>): RefusedDelivery | null {
  const text = headers[REFUSED_HEADER];
  return text === undefined ? null : (JSON.parse(text) as RefusedDelivery);
}
