import { createHash, createHmac } from "node:crypto";
import type { EpochMs } from "@/server/domain/terms";

/** A row as it is sealed; `detail` and `personal` are the text PostgreSQL writes of them. */
export interface SealedRow {
  readonly id: number;
  readonly time: EpochMs;
  readonly actorKind: string;
  readonly actorId: string | null;
  readonly actor: string;
  readonly verb: string;
  readonly target: string | null;
  readonly outcome: string;
  readonly address: string | null;
  readonly detail: string | null;
  readonly attempt: number | null;
  readonly personal: string | null;
}

/** The columns of `audit_row` (named r) that make a {@link SealedRow}. */
export const SEALED_COLUMNS = `r.id, (extract(epoch FROM r.time) * 1000)::float8 AS time, r.actor_kind AS "actorKind", r.actor_id AS "actorId", r.actor, r.verb,
  r.target, r.outcome, r.address, r.detail::text AS detail, r.attempt, r.personal::text AS personal`;

/** SHA-256 of a row's canonical bytes, as the leaf of a Merkle tree (RFC 6962). docs/access.md describes the bytes. */
export function hashOfRow(row: SealedRow): Buffer {
  const { id, time, actorKind, actorId, actor, verb, target, outcome, address, detail, attempt, personal } = row;
  const at = new Date(time).toISOString();
  const bytes = JSON.stringify([
    ...["fieldwatch audit row 1", id, at, actorKind, actorId, actor, verb, target, outcome, address, detail, attempt],
    personal,
  ]);
  return createHash("sha256").update(LEAF).update(bytes).digest();
}

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** The root of the Merkle tree of these leaves (RFC 6962), of which there is at least one. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0]!;
  // The greatest power of two below the number of leaves.
  const left = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  const hash = createHash("sha256").update(NODE);
  return hash
    .update(merkleRoot(leaves.slice(0, left)))
    .update(merkleRoot(leaves.slice(left)))
    .digest();
}

/** What a seal says. */
export interface SealHead {
  readonly id: number;
  readonly time: EpochMs;
  readonly rowHashes: readonly Buffer[];
  /** The hash of the seal before; of the first: {@link NO_SEAL}. */
  readonly previous: Buffer;
}

export const NO_SEAL = Buffer.alloc(32);

/** The hash of a seal, by which the next one and the anchors name it. */
export function hashOfSeal({ id, time, rowHashes, previous }: SealHead): Buffer {
  const root = merkleRoot(rowHashes).toString("hex");
  const at = new Date(time).toISOString();
  const bytes = JSON.stringify(["fieldwatch audit seal 1", id, at, rowHashes.length, root, previous.toString("hex")]);
  return createHash("sha256").update(bytes).digest();
}

/** A key that vouches for seals. */
export interface AuditKey {
  /** Names it without telling it. */
  readonly id: string;
  readonly secret: string;
}

export function macOf(key: AuditKey, sealHash: Buffer): Buffer {
  return createHmac("sha256", key.secret).update(sealHash).digest();
}

/** The hashes that stand one after the other in `bytes`. */
export function splitHashes(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(i * 32, i * 32 + 32));
}
