const M = 0x5bd1e995;

/** MurmurHash2 with Kafka's seed, as a signed 32-bit number: the hash Kafka's producers place keys by. */
export function murmur2(text: string): number {
  const data = Buffer.from(text, "utf8");
  const length = data.length;
  let hash = 0x9747b28c ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let k = Math.imul(data.readInt32LE(at), M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length - at;
  if (rest === 3) hash ^= data[at + 2]! << 16;
  if (rest >= 2) hash ^= data[at + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[at]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return (hash ^ (hash >>> 15)) | 0;
}

/** The partition of a key, the same as Kafka's default partitioner chooses. */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
