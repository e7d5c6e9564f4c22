import http from "node:http";
import type { AddressInfo } from "node:net";

/** A request that a receiver got. */
interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly at: number;
}

/** How a receiver answers: with a status, not at all, or by cutting the connection. */
type Answering =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  | "hang"
  | "reset";

/** A real HTTP server that takes messages, and answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly got: Received[];
  /** Answers all that comes from now on; asked anew for each request. */
  answer(how: Answering | ((request: Received) => Answering)): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const got: Received[] = [];
  let how: (request: Received) => Answering = () => ({ status: 200 });
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("error", () => {});
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const received: Received = {
        path: request.url ?? "",
        headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
        body: Buffer.concat(parts).toString("utf8"),
        at: Date.now(),
      };
      got.push(received);
      const answer = how(received);
      if (answer === "hang") return;
      if (answer === "reset") return void request.socket.resetAndDestroy();
      response.writeHead(answer.status, answer.headers).end(answer.body ?? "ok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    got,
    answer(next) {
      how = typeof next === "function" ? next : () => next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
