import type { ClientRequest, IncomingMessage } from "node:http";

/** Most bytes of an answer that are read. A server of before names every rejected item, 10,000 at most. */
const ANSWER_LIMIT = 16 * 1024 * 1024;

/** Reads a whole answer as text. @throws Error when it breaks off or is too long; then its request is ended with the same error. */
export function answerText(sent: ClientRequest, answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    answer.on("data", (part: Buffer) => {
      size += part.byteLength;
      if (size > ANSWER_LIMIT) sent.destroy(new Error("the answer is too long"));
      else parts.push(part);
    });
    answer.once("end", () => resolve(Buffer.concat(parts).toString("utf8")));
    answer.once("error", reject);
  });
}
