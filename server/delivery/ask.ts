import http from "node:http";
import https from "node:https";
import { encryptionFor } from "./target";

/** Most bytes of an answer that are read. */
const ANSWER_LIMIT = 16 * 1024 * 1024;

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
      const parts: Buffer[] = [];
      let size = 0;
      answer.on("data", (part: Buffer) => {
        size += part.byteLength;
        if (size > ANSWER_LIMIT) sent.destroy(new Error("the answer is too long"));
        else parts.push(part);
      });
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
      );
      answer.once("error", reject);
    });
    sent.end(body);
  });
}
