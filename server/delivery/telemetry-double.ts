import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** One request as it arrived: its lines, and the query. */
interface ReceivedRequest {
  readonly lines: readonly string[];
  readonly query: URLSearchParams;
}

/** Answers in place of the usual 202; true if it did. */
type Misbehaviour = (request: ReceivedRequest, answer: ServerResponse) => boolean;

export interface TelemetryDouble {
  readonly url: string;
  /** Every request that was settled by a 2xx, in order. */
  readonly settled: readonly ReceivedRequest[];
  /** Requests of any outcome. */
  readonly attempts: number;
  misbehave(how: Misbehaviour | null): void;
  /** Answers a GET of a route, such as `retention`, which isn't there otherwise. */
  answer(route: string, body: object): void;
  /** Lines of all settled requests. */
  lines(): string[];
  close(): Promise<void>;
}

/**
 * A small HTTP server that stands for the telemetry route in tests: takes every line that is a JSON object, and tells of each
 * replay how many it took.
 */
export async function startTelemetryDouble(port = 0): Promise<TelemetryDouble> {
  const settled: ReceivedRequest[] = [];
  let misbehaviour: Misbehaviour | null = null;
  let attempts = 0;
  const routes = new Map<string, object>();
  /** Every accepted message counts as handled at once, under its run; other routes are not there. */
  function answerOther(path: string, answer: ServerResponse): void {
    const there = routes.get(/\/api\/v1\/([^?]+)/.exec(path)?.[1] ?? "");
    if (there) return void answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(there));
    const run = /\/api\/v1\/replays\/([^/?]+)$/.exec(path)?.[1];
    if (run === undefined) return void answer.writeHead(404).end();
    const handled = settled.filter(({ query }) => query.get("run") === run).flatMap(({ lines }) => lines);
    const messages = handled.filter(isJsonObject).length;
    const none = { faulty: 0, readings: 0, repeats: 0, conflicts: 0, texts: 0, refused: [], workers: 1 };
    answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ run, messages, ...none }));
  }
  const server = createServer((request, answer) => {
    if (request.method !== "POST") return answerOther(request.url ?? "/", answer);
    const parts: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      attempts += 1;
      const body = Buffer.concat(parts);
      const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8");
      const lines = text.split("\n").filter((line) => /[^ \t\r]/.test(line));
      const received = { lines, query: new URL(request.url ?? "/", "http://double").searchParams };
      if (misbehaviour?.(received, answer)) return;
      const rejected = lines.flatMap((line, index) =>
        isJsonObject(line) ? [] : [{ index, reason: "notJson", detail: line.slice(0, 20) }],
      );
      settled.push(received);
      answer.writeHead(202, { "content-type": "application/json" });
      answer.end(JSON.stringify({ accepted: lines.length - rejected.length, rejected }));
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    settled,
    get attempts() {
      return attempts;
    },
    answer: (route, body) => void routes.set(route, body),
    misbehave(how) {
      misbehaviour = how;
    },
    lines: () => settled.flatMap((request) => request.lines),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function isJsonObject(line: string): boolean {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === "object" && json !== null && !Array.isArray(json);
  } catch {
    return false;
  }
}
