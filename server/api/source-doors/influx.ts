import type { Taken } from "@/server/sources/intake";
import { plain, type Protocol, refusalsOf, type Trouble } from "./protocol";

const JSON_TYPE = "application/json; charset=utf-8";

/** Both versions of InfluxDB's write: 204, or 400 that names the lines which weren't taken; all others were. */
function written(taken: Taken | null, error: (words: string) => Response): Response {
  const refused = taken === null ? null : refusalsOf(taken);
  // "partial write" is what InfluxDB's clients look for: they tell it, and don't send the lines again.
  return refused === null ? plain(204, null, null) : error(`partial write: ${refused}`);
}

const v1Error = (status: number, words: string, retryAfter: string | null = null) => {
  const answer = plain(status, JSON.stringify({ error: words }), JSON_TYPE, retryAfter);
  answer.headers.set("x-influxdb-error", words.replace(/[^\x20-\x7e]/g, "?").slice(0, 500));
  return answer;
};

const V2_CODES: Readonly<Record<number, string>> = {
  ...{ 400: "invalid", 401: "unauthorized", 403: "forbidden", 413: "request too large" },
  ...{ 429: "too many requests", 503: "unavailable", 507: "unavailable" },
};
const v2Error = (status: number, message: string, retryAfter: string | null = null) =>
  plain(status, JSON.stringify({ code: V2_CODES[status] ?? "internal error", message }), JSON_TYPE, retryAfter);

const v1 = {
  decode: "influx",
  trouble: (_request: Request, { status, detail, retryAfter }: Trouble) => v1Error(status, detail, retryAfter),
} as const;

const pong = (): Response => {
  const answer = plain(204, null, null);
  // Clients of version 1 ask this for the version, and go by its first number.
  answer.headers.set("x-influxdb-version", "1.8-fieldwatch");
  return answer;
};

/** What InfluxDB's version 1 answers a statement without a result, such as Telegraf's CREATE DATABASE. */
const NO_RESULT = JSON.stringify({ results: [{ statement_id: 0 }] });

export const INFLUX: readonly Protocol[] = [
  {
    ...v1,
    ...{ method: "POST", path: "/write", takes: true },
    answer: (_request, taken) => written(taken, (words) => v1Error(400, words)),
  },
  {
    ...{ method: "POST", path: "/api/v2/write", decode: "influx", takes: true },
    answer: (_request, taken) => written(taken, (words) => v2Error(400, words)),
    trouble: (_request, { status, detail, retryAfter }) => v2Error(status, detail, retryAfter),
  },
  { ...v1, method: "GET", path: "/ping", takes: false, answer: pong },
  { ...v1, method: "HEAD", path: "/ping", takes: false, answer: pong },
  { ...v1, method: "POST", path: "/query", takes: false, answer: () => plain(200, NO_RESULT, JSON_TYPE) },
  { ...v1, method: "GET", path: "/query", takes: false, answer: () => plain(200, NO_RESULT, JSON_TYPE) },
];
