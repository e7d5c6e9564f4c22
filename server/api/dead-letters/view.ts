import type { z } from "zod";
import type { deadLetter, deadLetterFilter, ResendPreview } from "@/server/contracts/dead-letters";
import type { Preview } from "@/server/dead-letters/preview";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import type { RefusedDelivery } from "@/server/domain/source-mark";
import type { DeadLetterFilter, DeadLetters, KeptDeadLetter } from "@/server/ports/dead-letters";
import type { Context } from "@/server/postgres/context";
import { toInstant } from "../instant";
import { within } from "../within";
import { innerId, noLetter, publicId } from "./id";

/** A dead letter as answers have it. */
export function toView(letter: KeptDeadLetter): z.input<typeof deadLetter> {
  const { position, reason, ingestTime, processedTime, raw, resendOf, resentAs, history } = letter;
  return {
    id: publicId(letter.id),
    status: letter.status,
    reason,
    title: DEAD_LETTER_REASONS[reason].title,
    detail: letter.detail,
    fix: DEAD_LETTER_REASONS[reason].fix,
    device: letter.device,
    field: letter.field,
    ...position,
    ingestTime: toInstant(ingestTime),
    processedTime: toInstant(processedTime),
    bytes: raw.byteLength,
    ...readable(raw),
    source: letter.source,
    delivery: letter.delivery && toDelivery(letter.delivery),
    resends: letter.resends,
    resendOf: resendOf === null ? null : publicId(resendOf),
    resentAs: resentAs === null ? null : publicId(resentAs),
    history: history.map((event) => ({ ...event, time: toInstant(event.time) })),
  };
}

function toDelivery({ version, arrived, refusals, refused, beside }: RefusedDelivery) {
  const { contentType, topic, path, query } = beside;
  return {
    ...{ version, refused, contentType, topic, path: [...path], query: { ...query }, arrived: toInstant(arrived) },
    refusals: refusals.map((one) => ({ ...one })),
  };
}

/** A preview as answers have it. */
export function toPreviewView({ readings, problems }: Preview): ResendPreview {
  return {
    ok: problems.length === 0,
    readings,
    problems: problems.map(({ reason, field, detail }) => ({
      reason,
      title: DEAD_LETTER_REASONS[reason].title,
      field,
      detail,
    })),
  };
}

/** The filter of an address: an empty device or field asks for those without one. */
export function toFilter({
  reason,
  device,
  field,
  source,
}: z.output<typeof deadLetterFilter>): Pick<DeadLetterFilter, "reason" | "device" | "field" | "source"> {
  return {
    ...(reason !== undefined && { reason }),
    ...(device !== undefined && { device: device === "" ? null : device }),
    ...(field !== undefined && { field: field === "" ? null : field }),
    ...(source !== undefined && { source }),
  };
}

/** The dead letter of an address. @throws ProblemError when it isn't at the call's sites. */
export function readLetter(ctx: Context, deadLetters: Pick<DeadLetters, "find">, id: string): Promise<KeptDeadLetter> {
  return within(
    ctx,
    async (sites) => (await deadLetters.find({ sites, ids: [innerId(id)], limit: 1 }))[0] ?? null,
    () => noLetter(id),
    ({ device }) => device,
  );
}

/** The bytes as text when they are UTF-8, else as base64. */
function readable(raw: Uint8Array): { raw: string; encoding: "utf-8" | "base64" } {
  try {
    return { raw: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw), encoding: "utf-8" };
  } catch {
    return { raw: Buffer.from(raw).toString("base64"), encoding: "base64" };
  }
}
