import type { Caller } from "@/server/domain/access";
import type { IngestCounts } from "@/server/ingest/ingest-rates";
import type { Senders } from "@/server/ingest/sender";
import type { WaitingBytes } from "@/server/ingest/waiting-bytes";
import type { DoorCounting } from "@/server/sources/counts";
import { type Intake, MOST_KEPT_BYTES, type OpenSource, type Sources } from "@/server/sources/intake";
import type { Problem } from "@/server/contracts/common";
import { type OnUnforeseen, ProblemError, problemKind, problemResponse } from "../problem";
import { besideOf, besidePacked } from "../sources/beside";
import { refusedRequest } from "../sources/counted";
import { createReadBody } from "../telemetry/body";
import { INFLUX } from "./influx";
import { OTLP, REMOTE_WRITE } from "./otlp";
import type { Protocol } from "./protocol";

export interface ReceiveDeps {
  /** Who shows the key of a request to a door of sources. */
  readonly doorCallerOf: (request: Request) => Promise<Caller>;
  readonly sources: Pick<Sources, "numbered">;
  readonly intake: Pick<Intake, "take">;
  readonly doorCounting: Pick<DoorCounting, "add">;
  readonly senders: Pick<Senders, "ofSource">;
  readonly waiting: WaitingBytes;
  /** The largest body, unpacked. */
  readonly maxBodyBytes: number;
  readonly now: () => number;
  /** Returns the present counts, to which refused requests are added. */
  readonly ingestCounts: () => Pick<IngestCounts, "requests">;
  readonly onUnforeseen: OnUnforeseen;
}

/** What is answered at addresses of others' protocols; they have no part in the REST routes. */
export const PROTOCOLS: readonly Protocol[] = [...INFLUX, OTLP, REMOTE_WRITE];

const BY_ADDRESS = new Map(PROTOCOLS.map((protocol) => [`${protocol.method} ${protocol.path}`, protocol]));

/** Answers the protocols of others: the key of a request says whose it is, the protocol how it is answered. */
export function createReceive(deps: ReceiveDeps): (request: Request) => Promise<Response> {
  const { sources, intake, doorCounting, senders, waiting, maxBodyBytes, now, ingestCounts, onUnforeseen } = deps;
  const readBody = createReadBody(["gzip", "deflate", "br"]);

  return async (request) => {
    const { pathname } = new URL(request.url);
    const protocol = BY_ADDRESS.get(`${request.method} ${pathname}`)!;
    if (!protocol.takes) return protocol.answer(request, null);
    let name: string | null = null;
    try {
      const source = await sourceOf(request);
      name = source.name;
      if (source.mapping.decode !== protocol.decode)
        throw new ProblemError(
          "invalid-parameters",
          `The source ${source.name} reads ${source.mapping.decode}, and this address takes ${protocol.decode}: use a key of a source of that kind.`,
        );
      const share = waiting.share(senders.ofSource(source.name, source.site?.id ?? null).use);
      try {
        let beside = besideOf({ headers: request.headers, url: withoutSignIn(request.url) }, pathname.length);
        const onPacked = (encoding: string) => void (beside = besidePacked(beside, encoding));
        const body = await readBody(
          packedOf(request, protocol),
          // As at the source's own address: what is to be kept whole has to fit into a record.
          source.answer === "webhook" ? Math.min(MOST_KEPT_BYTES, maxBodyBytes) : maxBodyBytes,
          share,
          source.answer === "webhook" ? onPacked : undefined,
        );
        return protocol.answer(request, await intake.take(source, { body, arrived: now(), beside }, share));
      } finally {
        share.release();
      }
    } catch (error) {
      const kind = problemKind(error);
      const { requests } = ingestCounts();
      requests.set(kind, (requests.get(kind) ?? 0) + 1);
      const counted = name === null ? null : refusedRequest(now(), 0, error);
      if (name !== null && counted !== null) doorCounting.add(name, counted);
      const answer = problemResponse(error, pathname, onUnforeseen);
      const { title, detail } = (await answer.json()) as Problem;
      const retryAfter = answer.headers.get("retry-after");
      return protocol.trouble(request, { status: answer.status, detail: detail ?? title, retryAfter });
    }
  };

  async function sourceOf(request: Request): Promise<OpenSource> {
    const caller = await deps.doorCallerOf(withKey(request));
    if (caller.kind === "nobody") throw new ProblemError("not-signed-in", caller.why ?? "There is no such key.");
    if (caller.kind !== "key" || caller.sourceId === undefined)
      throw new ProblemError("not-allowed", "That is no key of a source: make one on the page Sources.");
    const source = await sources.numbered(caller.sourceId);
    if (source === null)
      throw new ProblemError(
        "not-allowed",
        "The source of this key is disabled: it takes nothing until somebody enables it on its page.",
      );
    return source;
  }
}

/** Version 1 of InfluxDB lets clients sign in by the address, `?u=…&p=…`: the password is the key. */
function withKey(request: Request): Request {
  const password = new URL(request.url).searchParams.get("p");
  if (password === null || request.headers.has("authorization")) return request;
  const headers = new Headers(request.headers);
  headers.set("x-api-key", password);
  return new Request(request.url, { headers });
}

function withoutSignIn(address: string): string {
  const url = new URL(address);
  for (const name of ["u", "p"]) url.searchParams.delete(name);
  return url.href;
}

/** The request as its body is to be read: what a decoder unpacks stays packed. */
function packedOf(request: Request, { unpacks }: Protocol): Request {
  if (unpacks === undefined || request.headers.get("content-encoding")?.trim().toLowerCase() !== unpacks)
    return request;
  const headers = new Headers(request.headers);
  headers.delete("content-encoding");
  return new Request(request, { headers });
}
