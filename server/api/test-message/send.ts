import { z } from "zod";
import { probeMessage, testMessageBody } from "@/server/contracts/test-message";
import { type TestMessages, TestMessageRefused } from "@/server/health/test-messages";
import { findDevice } from "@/server/catalog/devices";
import type { PrismaClient } from "@/server/postgres/prisma";
import { noDevice } from "../devices/id";
import { parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";
import { within } from "../within";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(testMessageBody, { io: "input" });

export interface TestMessageDeps {
  readonly testMessages: TestMessages;
}

export const sendTestMessage = verb(
  {
    method: "POST",
    path: "/api/v1/test-message",
    access: "operate",
    bySite: true,
    audited: "changed",
    summary: "Sends a message to be followed",
    description:
      "The message is real: it is checked, appended, stored and shown like any other, and its device appears in the list. Who may do so at some sites alone names a device that is there. " +
      "Ask for its way with the id of the answer; 202 says that it was sent, its stations how far it has come.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: probeMessage,
    status: 202,
    problems: ["not-found", "unreadable-body", "unsupported-media-type", "body-too-large", "too-busy"],
    bodies: { "application/json": BODY_SCHEMA },
  },
  ({ testMessages, prisma }: TestMessageDeps & { readonly prisma: PrismaClient }) =>
    async (ctx, { request, attempt }) => {
      const { device } = await parseJsonBody(testMessageBody, request);
      await attempt({ target: device });
      // A new one would be at no site.
      if (ctx.sites !== "all")
        await within(
          ctx,
          (sites) => findDevice(prisma, device, sites),
          () => noDevice(device),
          () => device,
        );
      try {
        return await testMessages.send(device);
      } catch (error) {
        if (!(error instanceof TestMessageRefused)) throw error;
        if (error.kind === "invalid") throw invalid([{ at: "device", message: error.message }]);
        throw new ProblemError("too-busy", error.message, { headers: { "retry-after": "5" } });
      }
    },
);
