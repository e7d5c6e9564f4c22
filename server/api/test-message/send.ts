import { z } from "zod";
import { probeMessage, testMessageBody } from "@/server/contracts/test-message";
import { type TestMessages, TestMessageRefused } from "@/server/health/test-messages";
import { parseJsonBody } from "../json-body";
import { invalid } from "../parse";
import { ProblemError } from "../problem";
import { NO_PARAMETERS, verb } from "../verb";

const { $schema: _, ...BODY_SCHEMA } = z.toJSONSchema(testMessageBody, { io: "input" });

export interface TestMessageDeps {
  readonly testMessages: TestMessages;
}

export const sendTestMessage = verb(
  {
    method: "POST",
    path: "/api/v1/test-message",
    access: "operate",
    audited: "changed",
    summary: "Sends a message to be followed",
    description:
      "The message is real: it is checked, appended, stored and shown like any other, and its device appears in the list. " +
      "Ask for its way with the id of the answer; 202 says that it was sent, its stations how far it has come.",
    params: NO_PARAMETERS,
    query: NO_PARAMETERS,
    answer: probeMessage,
    status: 202,
    problems: ["unreadable-body", "unsupported-media-type", "body-too-large", "too-busy"],
    bodies: { "application/json": BODY_SCHEMA },
  },
  ({ testMessages }: TestMessageDeps) =>
    async (_ctx, { request, note }) => {
      const { device } = await parseJsonBody(testMessageBody, request);
      note({ target: device });
      try {
        return await testMessages.send(device);
      } catch (error) {
        if (!(error instanceof TestMessageRefused)) throw error;
        if (error.kind === "invalid") throw invalid([{ at: "device", message: error.message }]);
        throw new ProblemError("too-busy", error.message, { headers: { "retry-after": "5" } });
      }
    },
);
