import type { Pool } from "pg";
import type { DeliveryRefusal } from "@/server/domain/source";
import { siteHeaders } from "@/server/domain/site-mark";
import { type RefusedDelivery, sourceHeaders } from "@/server/domain/source-mark";
import type { LogRecord } from "@/server/ports/event-log";
import { createSources } from "./open-sources";
import { readDelivery } from "./read";
import { createBirths } from "./sparkplug/births";
import { namesOf } from "./sparkplug/nodes";

/** A delivery that is kept whole. */
interface Kept {
  readonly id: string;
  readonly raw: Uint8Array;
  readonly delivery: RefusedDelivery | null;
}

/** What the present mapping of its source makes of one. */
interface Reread {
  readonly version: number;
  readonly records: readonly LogRecord[];
  readonly refusals: readonly DeliveryRefusal[];
}

/** Makes the function that reads kept deliveries by the mappings of this very moment; those whose source is gone or disabled are left out. */
export function createReread(pool: Pool): (kept: readonly Kept[]) => Promise<ReadonlyMap<string, Reread>> {
  const sources = createSources(pool);
  const births = createBirths(pool);
  return async (kept) => {
    const rereads = new Map<string, Reread>();
    if (kept.length === 0) return rereads;
    // Whoever has just mended a mapping means that one.
    sources.forget();
    const names = new Map<number, ReturnType<typeof namesOf>>();
    for (const { id, raw: body, delivery } of kept) {
      const source = delivery && (await sources.named(delivery.source));
      if (source === null) continue;
      const { arrived, beside } = delivery!;
      let named = names.get(source.id);
      if (named === undefined) names.set(source.id, (named = namesOf(births, source)));
      const { messages, refused } = readDelivery(source, (await named)({ body, arrived, beside }));
      const headers = {
        ...sourceHeaders(source.name, source.mappingVersion),
        ...(source.site && siteHeaders(source.site.name)),
      };
      rereads.set(id, {
        version: source.mappingVersion,
        // Whoever said goodbye then may be back by now.
        records: messages.flatMap(({ device, bytes, isGoodbye }) =>
          isGoodbye ? [] : [{ key: device, value: bytes, headers }],
        ),
        refusals: refused,
      });
    }
    return rereads;
  };
}
