import { nameOf, signatureOf } from "@/server/domain/access";
import { z } from "zod";
import { skipBody, skippedBatch } from "@/server/contracts/pipeline";
import { skipUnreadable } from "@/server/pipeline/unreadable-batches";
import { BODY_PROBLEMS, parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, writingVerb } from "../verb";
import { toSkippedView } from "./batch-view";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(skipBody, { io: "input" });

export const skipBatch = writingVerb(
  {
    method: "POST",
    path: "/api/v1/pipeline/partitions/{partition}/skip",
    access: "operate",
    summary: "Skips the batch that stops a partition because it can't be read",
    description:
      "Its messages are lost to Fieldwatch: they are counted as skipped, and the batch is remembered with its cause. `from` and `to` say which batch you have seen; " +
      "if another one stops the partition, or none, nothing happens and the answer is 409.",
    params: z.object({ partition: z.coerce.number().pipe(z.int32().min(0)).describe("Of iot.telemetry") }),
    query: NO_PARAMETERS,
    answer: skippedBatch,
    status: 200,
    problems: ["wrong-status", ...BODY_PROBLEMS],
    bodies: { "application/json": BODY_SCHEMA },
  },
  () =>
    async (ctx, { params: { partition }, request, note }) => {
      const { from, to } = await parseJsonBody(skipBody, request);
      const by = { name: nameOf(ctx.caller), signature: signatureOf(ctx.caller), now: ctx.now };
      const skipped = await skipUnreadable(ctx.tx, { partition, from, to }, by);
      if (skipped !== null) {
        note({ detail: { before: { next: from }, after: { next: to + 1, skipped: skipped.records } } });
        return toSkippedView(skipped);
      }
      throw new ProblemError(
        "wrong-status",
        `Partition ${partition} is not stopped by a batch at offsets ${from} to ${to}. Nothing was skipped; look at the pipeline again.`,
      );
    },
);
