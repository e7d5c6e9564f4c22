import type { Pool, PoolClient } from "pg";
import type { EpochMs } from "@/server/domain/terms";

/** An address that a sender asks to be fetched before it sends. */
export interface Handshake {
  readonly id: number;
  readonly at: EpochMs;
  readonly sender: HandshakeSender;
  readonly url: string;
  readonly confirmedAt: EpochMs | null;
}

export type HandshakeSender = "aws-iot" | "aws-sns";

/** The most that are kept of a source: the newest. */
const MOST = 10;

/** Keeps what a sender asked for, until a person confirms it. The same again stays as it is. */
export async function keepHandshake(pool: Pool, sourceId: number, sender: HandshakeSender, url: string): Promise<void> {
  await pool.query(
    `INSERT INTO source_handshake (source_id, sender, url) VALUES ($1, $2, $3) ON CONFLICT (source_id, url) DO NOTHING`,
    [sourceId, sender, url],
  );
  await pool.query(
    `DELETE FROM source_handshake WHERE source_id = $1 AND id NOT IN (
       SELECT id FROM source_handshake WHERE source_id = $1 ORDER BY id DESC LIMIT ${MOST})`,
    [sourceId],
  );
}

/** What the senders of a source asked for, newest first. */
export async function listHandshakes(db: Pool | PoolClient, sourceId: number): Promise<Handshake[]> {
  const { rows } = await db.query<Handshake>(
    `SELECT id, sender, url, (extract(epoch FROM at) * 1000)::float8 AS at, (extract(epoch FROM confirmed_at) * 1000)::float8 AS "confirmedAt"
     FROM source_handshake WHERE source_id = $1 ORDER BY id DESC`,
    [sourceId],
  );
  return rows;
}

/** Notes that one was confirmed. */
export async function noteConfirmed(tx: PoolClient, id: number): Promise<void> {
  await tx.query(`UPDATE source_handshake SET confirmed_at = now() WHERE id = $1`, [id]);
}

/** Hosts whose addresses may be fetched: the senders' own, and nobody else's. */
const HOSTS: Readonly<Record<HandshakeSender, RegExp>> = {
  "aws-iot": /^iot\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/,
  "aws-sns": /^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/,
};

/** True if confirming takes a request to the sender's own service, over HTTPS, and nowhere else. */
export function isListed(sender: HandshakeSender, url: string): boolean {
  if (url.length > 2048 || !URL.canParse(url)) return false;
  const { protocol, hostname, port, username, password } = new URL(url);
  return protocol === "https:" && port === "" && username + password === "" && HOSTS[sender].test(hostname);
}

/** What an AWS service asks for in a delivery, or null if it is none of that. */
export function awsHandshake(
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): { readonly sender: HandshakeSender; readonly url: string } | null {
  if (body.byteLength > 64 * 1024) return null;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  if (!/"(enableUrl|SubscribeURL)"/.test(text)) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null) return null;
  const { messageType, enableUrl, Type, SubscribeURL } = json as Record<string, unknown>;
  if (
    typeof enableUrl === "string" &&
    (messageType === "DestinationConfirmation" || "x-amz-rules-engine-message-type" in headers)
  )
    return { sender: "aws-iot", url: enableUrl };
  if (typeof SubscribeURL === "string" && Type === "SubscriptionConfirmation")
    return { sender: "aws-sns", url: SubscribeURL };
  return null;
}
