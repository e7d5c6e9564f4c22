import { z } from "zod";
import { resendAnswer, resendBody } from "@/server/contracts/dead-letters";
import type { PreviewLetters } from "@/server/dead-letters/preview";
import type { RereadDeliveries } from "@/server/dead-letters/reread";
import { sendOne } from "@/server/dead-letters/send";
import type { DeadLetters } from "@/server/ports/dead-letters";
import type { EventLog } from "@/server/ports/event-log";
import type { NameCheck } from "@/server/ingest/name-check";
import type { Senders } from "@/server/ingest/sender";
import { findDevice } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { parseJsonBody } from "../json-body";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { NotHereError, within } from "../within";
import { letterParams } from "./id";
import { readLetter, toPreviewView, toView } from "./view";

/** A message of the largest size, with every character escaped. */
const MOST_BYTES = 1024 * 1024;
const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(resendBody, { io: "input" });

export const resendDeadLetter = verb(
  {
    method: "POST",
    path: "/api/v1/dead-letters/{id}/resend",
    access: "operate",
    bySite: true,
    audited: "changed",
    summary: "Sends a dead letter's message to the event log again, as it was or edited",
    description:
      "Answers once the log holds the message; `status` is then `resending` until a worker has handled it, and `resent` after. Only an open " +
      "dead letter can be sent, by one at a time. Readings that are there already count as repeats. An edited message that would be refused is " +
      "not sent: `preview` says why; what it names anew counts for who sends it. After 503 the message may be in the log: the letter stays `resending`, and opens again by itself once it is " +
      "certain that the message is not.",
    params: letterParams,
    query: NO_PARAMETERS,
    answer: resendAnswer,
    status: 200,
    problems: [
      "not-found",
      "wrong-status",
      "would-be-refused",
      "too-many-new",
      "log-unavailable",
      "unsupported-media-type",
      "unreadable-body",
      "body-too-large",
    ],
    bodies: { "application/json": BODY_SCHEMA },
  },
  ({
    deadLetters,
    eventLog,
    preview: previewOf,
    reread,
    prisma,
    senders,
    checkNames,
  }: {
    readonly deadLetters: Pick<DeadLetters, "find" | "change">;
    readonly eventLog: Pick<EventLog, "append">;
    readonly preview: PreviewLetters;
    readonly reread: RereadDeliveries;
    readonly prisma: PrismaClient;
    readonly senders: Senders;
    readonly checkNames: NameCheck;
  }) =>
    async (ctx, { params: { id }, request, attempt }) => {
      const { message, dryRun } = await parseJsonBody(resendBody, request, MOST_BYTES);
      await attempt({ detail: { asked: { dryRun, edited: message !== undefined } } });
      const letter = await readLetter(ctx, deadLetters, id);
      const edited = message === undefined ? null : Buffer.from(message);
      const [found] = await previewOf([{ ...letter, raw: edited ?? letter.raw }]);
      const { device } = found!;
      // Edited, it may be another device's.
      if (device !== null && ctx.sites !== "all")
        await within(
          ctx,
          (sites) => findDevice(prisma, device, sites),
          () => new NotHereError(`where ${device} is`),
          () => device,
        );
      const preview = toPreviewView(found!);
      if (dryRun) return { preview, letter: toView(letter) };
      if (letter.status !== "open") throw notOpen(letter.status);
      // A delivery that its mapping still refuses would stay as it is.
      const isRefused = letter.delivery !== null && preview.problems.some(({ reason }) => reason === "notMapped");
      if ((edited !== null && !preview.ok) || isRefused) {
        const problems = preview.problems.map(({ title, detail }) => `${title}: ${detail}`).join("; ");
        throw new ProblemError("would-be-refused", problems, { members: { preview } });
      }
      if (edited !== null) {
        const reading = letter.delivery && (await reread([{ ...letter, raw: edited }])).get(letter.id);
        const messages = reading ? reading.records.map(({ value }) => value) : [edited];
        await checkNames(senders.of(ctx.caller, ctx.sites), messages);
      }
      const sent = await sendOne({ deadLetters, eventLog, reread }, { letter, edited });
      const after = await readLetter(ctx, deadLetters, id);
      if (!sent) throw notOpen(after.status);
      return { preview, letter: toView(after) };
    },
);

function notOpen(status: string): ProblemError {
  return new ProblemError("wrong-status", `Only an open dead letter can be sent again; this one is ${status}.`, {
    members: { current: status },
  });
}
