import http from "node:http";
import https from "node:https";
import { answerText } from "./answer-text";
import { encryptionFor } from "./target";

/** An answer to a request that was sent by {@link ask}. */
export interface Asked {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends one request and reads its whole answer, also from a server of this machine whose certificate is made out to another name, which
 * `fetch` can't.
 * @throws Error when there is no answer, it is too long, or the signal says so.
 */
export function ask(
  url: URL,
  options: { method?: string; headers?: http.OutgoingHttpHeaders; body?: string; signal: AbortSignal },
): Promise<Asked> {
  const { method = "GET", headers = {}, body, signal } = options;
  const request = url.protocol === "https:" ? https.request : http.request;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, signal, ...encryptionFor(url) });
    sent.once("error", reject);
    sent.once("response", (answer) => {
      answerText(sent, answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject);
    });
    sent.end(body);
  });
}
