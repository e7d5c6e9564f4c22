import type { Pool } from "pg";
import type { z } from "zod";
import { deliveryAnswer } from "@/server/contracts/sources";
import type { Caller, Sites } from "@/server/domain/access";
import type { IngestCounts } from "@/server/ingest/ingest-rates";
import type { Pace } from "@/server/ingest/pace";
import { IngestRefusedError } from "@/server/ingest/refused";
import type { Senders } from "@/server/ingest/sender";
import type { WaitingBytes } from "@/server/ingest/waiting-bytes";
import type { DoorCounting } from "@/server/sources/counts";
import { awsHandshake, isListed, keepHandshake } from "@/server/sources/handshakes";
import { type Intake, MOST_KEPT_BYTES, type OpenSource, type Sources, type Taken } from "@/server/sources/intake";
import { problemKind, ProblemError } from "../problem";
import { createReadBody } from "../telemetry/body";
import { NO_PARAMETERS, verb } from "../verb";
import { atSite, EVERYWHERE, NotHereError } from "../within";
import { besideOf, besidePacked } from "./beside";
import { refusedRequest } from "./counted";
import { sourceParams } from "./view";

export interface DeliverDeps {
  readonly pool: Pool;
  readonly sources: Pick<Sources, "named" | "numbered">;
  readonly intake: Pick<Intake, "take">;
  readonly doorCounting: Pick<DoorCounting, "add">;
  readonly senders: Senders;
  readonly waiting: WaitingBytes;
  readonly pace: Pick<Pace, "spend">;
  /** The largest body, unpacked. */
  readonly maxBodyBytes: number;
  /** Returns the present counts, to which refused requests are added. */
  readonly ingestCounts: () => Pick<IngestCounts, "requests">;
}

const TAKES = "application/json, and whatever else the source's mapping reads";

export const deliver = verb(
  {
    method: "POST",
    path: "/ingest/{source}",
    access: "deliver",
    bySite: true,
    door: true,
    summary: "Takes a delivery in the shape that the source's mapping reads",
    description:
      "By POST, PUT, PATCH or GET, at this address or any below it, with any query and any content type; packed by gzip, deflate or brotli, or not. The key is that of the " +
      "source, as `Authorization: Bearer …` or `Token …`, the password of Basic, X-Api-Key or, where a sender can do nothing else, `?key=`. " +
      "The good answer is given only when the event log holds what was accepted durably; with the policy webhook also what was refused, whole, to be read anew when the mapping is mended.",
    params: sourceParams,
    query: NO_PARAMETERS,
    answer: deliveryAnswer,
    status: 200,
    problems: [
      ...(["not-found", "unreadable-body", "body-too-large", "too-many-messages", "unsupported-encoding"] as const),
      ...(["nothing-accepted", "too-fast", "too-busy", "log-unavailable"] as const),
    ],
    bodies: { "*/*": { description: TAKES } },
  },
  ({ pool, sources, intake, doorCounting, senders, waiting, pace, maxBodyBytes, ingestCounts }: DeliverDeps) => {
    const readBody = createReadBody(["gzip", "deflate", "br"]);
    return async ({ caller, sites, now }, { params, request, headers }) => {
      const named = await sources.named(params.source);
      const refuse = (error: unknown, bytes = 0) => {
        const counted = refusedRequest(now, bytes, error);
        // Where the source isn't open it is the key's own, or none that counts.
        const name = named?.name ?? (caller.kind === "key" && caller.of === "source" ? caller.name : null);
        if (counted !== null && name === params.source) doorCounting.add(name, counted);
        return counted !== null;
      };
      const source = await mayDeliver(sources, named, params.source, caller, sites).catch((error: unknown) => {
        refuse(error);
        throw error;
      });
      const origin = request.headers.get("webhook-request-origin");
      if (request.method === "OPTIONS" && origin !== null) {
        headers.set("allow", "POST, PUT, PATCH, GET");
        headers.set("webhook-allowed-origin", origin);
        headers.set("webhook-allowed-rate", "*");
        return NOTHING;
      }
      const { use } = senders.ofSource(source.name, source.site?.id ?? null);
      const share = waiting.share(use);
      let bytes = 0;
      try {
        const most = source.answer === "webhook" ? Math.min(MOST_KEPT_BYTES, maxBodyBytes) : maxBodyBytes;
        let beside = besideOf(request, 2);
        // Whoever tries once gets no second try for how it packs.
        const onPacked = (encoding: string) => void (beside = besidePacked(beside, encoding));
        const body = await readBody(request, most, share, source.answer === "webhook" ? onPacked : undefined);
        bytes = body.byteLength;
        const code = validationCode(body, request.headers);
        if (code !== null) return { ...NOTHING, validationResponse: code };
        const asked = awsHandshake(body, beside.headers);
        if (asked !== null && isListed(asked.sender, asked.url)) {
          await keepHandshake(pool, source.id, asked.sender, asked.url);
          return NOTHING;
        }
        return told(source, await intake.take(source, { body, arrived: now, beside }, share));
      } catch (error) {
        const { requests } = ingestCounts();
        const kind = problemKind(error);
        requests.set(kind, (requests.get(kind) ?? 0) + 1);
        if (refuse(error, bytes)) pace.spend(use, { bytes: 0 });
        throw error;
      } finally {
        share.release();
      }
    };
  },
);

const NOTHING = { accepted: 0, ignored: true, refused: [], refusals: 0, kept: false };

/** The source, if it is there and this caller may send to it. @throws ProblemError, NotHereError */
async function mayDeliver(
  sources: DeliverDeps["sources"],
  source: OpenSource | null,
  name: string,
  caller: Caller,
  sites: Sites,
): Promise<OpenSource> {
  if (caller.kind === "key" && caller.sourceId !== undefined) {
    if (source?.id === caller.sourceId) return source;
    throw new ProblemError("not-allowed", await whyNot(sources, caller.sourceId, caller.name));
  }
  if (source === null) throw new ProblemError("not-found", `There is no source ${name}, or it is not enabled.`);
  if (sites === "all" || (source.site !== null && sites.includes(source.site.id))) return source;
  throw new NotHereError(source.site === null ? EVERYWHERE : atSite(source.site.name));
}

/** Why the key of a source doesn't open this door; of its own source alone it is told more than that. */
async function whyNot(sources: DeliverDeps["sources"], sourceId: number, key: string): Promise<string> {
  if ((await sources.numbered(sourceId)) === null)
    return `The source of the key ${key} is disabled: it takes nothing until somebody enables it on its page.`;
  return `The key ${key} sends to its own source alone.`;
}

/** @throws IngestRefusedError when its sender is to know that nothing was taken. */
function told(
  { answer }: OpenSource,
  { accepted, ignored, refused, refusals, isKept }: Taken,
): z.input<typeof deliveryAnswer> {
  const members = { accepted, ignored, refused: refused.map((one) => ({ ...one })), refusals, kept: isKept };
  const [first] = refused;
  if (answer === "strict" && accepted === 0 && first !== undefined)
    throw new IngestRefusedError(
      "nothing-accepted",
      `All ${refusals} refused; the first: ${first.path === "" ? "" : `${first.path}: `}${first.reason}: ${first.detail}.`,
      { members: { refused: members.refused, refusals } },
    );
  return members;
}

/** The code that Azure Event Grid wants back before it sends; null where it asks for none. */
function validationCode(body: Uint8Array, headers: Headers): string | null {
  if (headers.get("aeg-event-type") !== "SubscriptionValidation") return null;
  try {
    const json = JSON.parse(Buffer.from(body).toString("utf8")) as { data?: { validationCode?: unknown } }[];
    const code = json[0]?.data?.validationCode;
    return typeof code === "string" && /^[\w-]{1,100}$/.test(code) ? code : null;
  } catch {
    return null;
  }
}
