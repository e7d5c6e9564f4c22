import type { DeliveryRefusal } from "@/server/domain/source";
import type { DeadLetter } from "@/server/ports/dead-letters";
import type { LogRecord } from "@/server/ports/event-log";

/** What the current mapping of its source makes of a delivery that was kept whole. */
export interface Reread {
  /** Of the mapping. */
  readonly version: number;
  /** All that it says, what was taken before included: that comes out as repeats. */
  readonly records: readonly LogRecord[];
  /** The first of what is still refused. */
  readonly refusals: readonly DeliveryRefusal[];
}

/** Reads deliveries anew, by their letters' ids; what has no source any more is left out. */
export type RereadDeliveries = (
  letters: readonly Pick<DeadLetter, "id" | "raw" | "delivery">[],
) => Promise<ReadonlyMap<string, Reread>>;

/** Where there are no sources. */
export const NO_SOURCES: RereadDeliveries = async () => new Map();

/** Why a delivery would be refused again, in words; null if it wouldn't. */
export function stillRefused(source: string, reread: Reread | undefined): string | null {
  if (reread === undefined) return `there is no source ${source} now, or it is not enabled`;
  const [first] = reread.refusals;
  if (first === undefined) return null;
  const more = reread.refusals.length > 1 ? `, and ${reread.refusals.length - 1} more` : "";
  const at = first.path === "" ? "" : `${first.path}: `;
  return `version ${reread.version} of the mapping: ${at}${first.detail}${more}`;
}
