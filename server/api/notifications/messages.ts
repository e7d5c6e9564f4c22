import type { Pool } from "pg";
import { alertPath } from "@/server/contracts/alerts";
import { alertMessages } from "@/server/contracts/notifications";
import { isAlertAt, messagesOf, verdictsOf } from "@/server/notifications/messages";
import { toInstant, toInstantOrNull } from "../instant";
import { noAlert } from "../alerts/view";
import { NO_PARAMETERS, verb } from "../verb";

export const listAlertMessages = verb(
  {
    method: "GET",
    path: "/api/v1/alerts/{alert}/messages",
    access: "view",
    bySite: true,
    summary:
      "What was decided about each event of an alert, and each message about it with what the other side answered",
    params: alertPath,
    query: NO_PARAMETERS,
    answer: alertMessages,
    status: 200,
    problems: ["not-found"],
  },
  ({ pool }: { readonly pool: Pool }) =>
    async ({ sites }, { params: { alert } }) => {
      if (!(await isAlertAt(pool, alert, sites))) throw noAlert(alert);
      const [verdicts, messages] = await Promise.all([verdictsOf(pool, alert), messagesOf(pool, alert)]);
      return {
        verdicts: verdicts.map(({ at, decidedAt, ...row }) => ({
          ...row,
          at: toInstant(at),
          decidedAt: toInstantOrNull(decidedAt),
        })),
        messages: messages.map(({ madeAt, sentAt, nextTryAt, attempts, ...row }) => ({
          ...row,
          madeAt: toInstant(madeAt),
          sentAt: toInstantOrNull(sentAt),
          nextTryAt: toInstantOrNull(nextTryAt),
          attempts: attempts.map((attempt) => ({ ...attempt, at: toInstant(attempt.at) })),
        })),
      };
    },
);
