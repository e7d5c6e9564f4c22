import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import type { Delivery } from "@/server/domain/mapping/delivery";
import { UnreadableError } from "./decoders/decoder";

const UNPACK = { gzip: gunzipSync, "x-gzip": gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

/** Bounds of what a kept body may become, in bytes: doors take no more either. */
const MOST_UNPACKED = 16 * 2 ** 20;
const MOST_RATIO = 100;
const RATIO_FREE_BYTES = 2 ** 20;

/**
 * A delivery whose body came packed and was kept so, as its door had it unpacked.
 * @throws UnreadableError where nobody can: it isn't whole, or packed in a way that isn't known.
 */
export function unpacked<D extends Delivery>(delivery: D): D {
  const { "content-encoding": packed, ...headers } = delivery.beside.headers;
  if (packed === undefined) return delivery;
  const unpack = Object.hasOwn(UNPACK, packed) ? UNPACK[packed as keyof typeof UNPACK] : undefined;
  if (unpack === undefined)
    throw new UnreadableError(`it came packed as ${packed.slice(0, 80)}, which is none of gzip, deflate and br`);
  const most = Math.min(MOST_UNPACKED, Math.max(RATIO_FREE_BYTES, delivery.body.byteLength * MOST_RATIO));
  try {
    const body = unpack(delivery.body, { maxOutputLength: most });
    return { ...delivery, body, beside: { ...delivery.beside, headers } };
  } catch (error) {
    throw new UnreadableError(`it came packed as ${packed}, and can't be unpacked: ${(error as Error).message}`);
  }
}
