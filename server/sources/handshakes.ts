import type { Pool } from "pg";
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
export async function listHandshakes(db: Pool, sourceId: number): Promise<Handshake[]> {
  const { rows } = await db.query<Handshake>(
    `SELECT id, sender, url, (extract(epoch FROM at) * 1000)::float8 AS at, (extract(epoch FROM confirmed_at) * 1000)::float8 AS "confirmedAt"
     FROM source_handshake WHERE source_id = $1 ORDER BY id DESC`,
    [sourceId],
  );
  return rows;
}

/** Notes that one was confirmed. @returns when. */
export async function noteConfirmed(db: Pool, id: number): Promise<EpochMs> {
  const { rows } = await db.query<{ at: EpochMs }>(
    `UPDATE source_handshake SET confirmed_at = coalesce(confirmed_at, now()) WHERE id = $1
     RETURNING (extract(epoch FROM confirmed_at) * 1000)::float8 AS at`,
    [id],
  );
  return rows[0]?.at ?? Date.now();
}

/** Nothing was confirmed; says why. */
export class NotConfirmedError extends Error {
  override readonly name = "NotConfirmedError";
}

/** How an address is fetched. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const PATIENCE_MS = 10_000;

/**
 * Fetches the address of a handshake, which confirms it: at the sender's own service alone, without following where that points. What is answered is
 * not read. @throws NotConfirmedError
 */
export async function fetchHandshake({ sender, url }: Pick<Handshake, "sender" | "url">, fetch: Fetch): Promise<void> {
  if (!isListed(sender, url)) throw new NotConfirmedError("The address is none of the sender's own service.");
  const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
    (error: Error & { cause?: { code?: unknown } }) => {
      const why = error.name === "TimeoutError" ? `no answer in ${PATIENCE_MS / 1000} s` : error.cause?.code;
      throw new NotConfirmedError(
        `${new URL(url).hostname} could not be reached (${String(why ?? error.message)}). Fieldwatch needs a way out to it, by HTTPS.`,
      );
    },
  );
  await answer.body?.cancel();
  if (!answer.ok)
    throw new NotConfirmedError(
      `${new URL(url).hostname} answered with status ${answer.status}. What it asked for may have expired: let it ask again.`,
    );
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
