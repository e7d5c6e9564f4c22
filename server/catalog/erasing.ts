import type { Pool, PoolClient } from "pg";
import { pause } from "@/server/async/backoff";
import type { JobContext } from "@/server/postgres/job";
import type { ErasureStore, ErasureSubject } from "@/server/postgres/erasure";
import { type ErasedStore, type Erasure, nextErasure, noteErasure, noteLook, type Remaining } from "./erasures";

/** What erasing needs of other rooms. */
export interface ErasingDeps {
  /** All stores, in the order in which they are erased. */
  readonly stores: readonly ErasureStore[];
  /** What stays elsewhere, and until when. */
  readonly remains: (pool: Pool, subject: ErasureSubject, now: number) => Promise<readonly Remaining[]>;
  /** Writes the sealed record of a proven erasure, and takes the name out of rows before. */
  readonly record: (
    tx: PoolClient,
    erasure: Erasure & { readonly name: string },
    proof: Pick<Erasure, "stores" | "remains">,
  ) => Promise<void>;
  /** A look is taken no earlier than this after the erasure began, in milliseconds: what a worker was writing then is written. */
  readonly settleMs: number;
}

/** The rounds of erasing and looking in one run: what is found is erased again. */
const ROUNDS = 3;

/** Works on every erasure whose device is out of the catalog: store by store, then looks all of them through, again until nothing is found. */
export async function eraseAll(ctx: JobContext, deps: ErasingDeps, done: number): Promise<void> {
  for (let after = 0; ;) {
    const erasure = await nextErasure(ctx.tx, after);
    if (erasure === null) return;
    after = erasure.id;
    for (let round = 0; round < ROUNDS; round++) if (await eraseOnce(ctx, deps, erasure.id, done)) break;
  }
}

/** @returns true when nothing was found. */
async function eraseOnce(ctx: JobContext, deps: ErasingDeps, id: number, done: number): Promise<boolean> {
  const erasure = await nextErasure(ctx.tx, id - 1);
  if (erasure?.id !== id) return true;
  const { rows } = await ctx.tx.query<{ began: Date }>("SELECT clock_timestamp() AS began");
  const { began } = rows[0]!;
  const subject = { began, erasure: id, key: erasure.key, name: erasure.name, coldFiles: erasure.coldFiles };
  const stores = deps.stores.map(
    ({ name }) => erasure.stores.find(({ store }) => store === name) ?? { store: name, erased: 0, left: null },
  );
  for (let place = erasure.place; place < deps.stores.length; place++) {
    ctx.signal.throwIfAborted();
    // Outside of a transaction: a large archive takes a while. Harmless when repeated.
    const erased = await deps.stores[place]!.erase(ctx.tx, subject);
    stores[place] = { ...stores[place]!, erased: stores[place]!.erased + erased };
    await ctx.step(async (tx) => {
      await noteErasure(tx, id, { place: place + 1, stores });
      return { done };
    });
  }
  await pause(Math.max(0, erasure.createdAt + deps.settleMs - Date.now()), ctx.signal);
  ctx.signal.throwIfAborted();
  const looked: ErasedStore[] = [];
  for (const [i, store] of deps.stores.entries()) {
    const left = await store.count(ctx.tx, subject);
    const { erased } = stores[i]!;
    looked.push({ store: store.name, erased: store.gone?.(subject, left) ?? erased, left });
  }
  const remains = await deps.remains(ctx.tx, subject, Date.now());
  let isProven = false;
  await ctx.step(async (tx) => {
    ({ isProven } = await noteLook(tx, id, { stores: looked, remains }));
    if (isProven) await deps.record(tx, erasure, { stores: looked, remains });
    return { done };
  });
  return isProven;
}
