import { z } from "zod";
import { deadLettersAnswer, deadLettersQuery } from "@/server/contracts/pipeline";
import { DEAD_LETTER_REASONS } from "@/server/domain/reasons";
import type { DeadLetters } from "@/server/ports/dead-letters";
import { openCursor, sealCursor } from "../cursor";
import { toInstant } from "../instant";
import { NO_PARAMETERS, verb } from "../verb";

const ORDER = "dead-letters";
const place = z.object({ ingestTime: z.int().min(-8.64e15).max(8.64e15), id: z.string() });

export const listDeadLetters = verb(
  {
    method: "GET",
    path: "/api/v1/dead-letters",
    summary: "Messages and fields that could not become a reading, newest first",
    params: NO_PARAMETERS,
    query: deadLettersQuery,
    answer: deadLettersAnswer,
    status: 200,
    problems: [],
  },
  ({ deadLetters }: { readonly deadLetters: Pick<DeadLetters, "find"> }) =>
    async ({ query: { limit, cursor, reason, device } }) => {
      const after = openCursor(ORDER, place, cursor);
      const found = await deadLetters.find({
        limit: limit + 1,
        ...(reason === undefined ? {} : { reason }),
        ...(device === undefined ? {} : { device }),
        ...(after === null ? {} : { after }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(({ id, position, reason, detail, device, field, ingestTime, processedTime, raw }) => ({
          id,
          reason,
          title: DEAD_LETTER_REASONS[reason].title,
          detail,
          fix: DEAD_LETTER_REASONS[reason].fix,
          device,
          field,
          ...position,
          ingestTime: toInstant(ingestTime),
          processedTime: toInstant(processedTime),
          bytes: raw.byteLength,
          ...readable(raw),
        })),
        next:
          found.length > page.length && last ? sealCursor(ORDER, { ingestTime: last.ingestTime, id: last.id }) : null,
      };
    },
);

/** The bytes as text when they are UTF-8, else as base64. */
function readable(raw: Uint8Array): { raw: string; encoding: "utf-8" | "base64" } {
  try {
    return { raw: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw), encoding: "utf-8" };
  } catch {
    return { raw: Buffer.from(raw).toString("base64"), encoding: "base64" };
  }
}
