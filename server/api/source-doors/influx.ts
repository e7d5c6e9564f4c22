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

const WRITES = {
  good: { status: 204, description: "All lines are in the event log" },
  bodies: { "text/plain": "InfluxDB's line protocol; packed by gzip, deflate or brotli, or not" },
} as const;
const PRECISION = "Of the lines' times: ns (if left out), us, ms, s, m or h";
const SIGN_IN = { u: "Any name", p: "The key of a source, where it is said nowhere else" };
const PONG = { status: 204, description: "It is there" } as const;
const RESULT = { status: 200, description: "No result, whatever is asked" } as const;

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
    ...{ method: "POST", path: "/write", takes: true, summary: "Takes lines as version 1 of InfluxDB does", ...WRITES },
    query: { precision: PRECISION, ...SIGN_IN },
    answer: (_request, taken) => written(taken, (words) => v1Error(400, words)),
  },
  {
    ...{ method: "POST", path: "/api/v2/write", decode: "influx", takes: true, ...WRITES },
    summary: "Takes lines as version 2 of InfluxDB does; bucket and org are anything",
    query: { precision: PRECISION },
    answer: (_request, taken) => written(taken, (words) => v2Error(400, words)),
    trouble: (_request, { status, detail, retryAfter }) => v2Error(status, detail, retryAfter),
  },
  ...(["GET", "HEAD"] as const).map((method) => {
    const summary = "Tells clients of version 1 that somebody is there";
    return { ...v1, method, path: "/ping", takes: false, answer: pong, summary, good: PONG };
  }),
  ...(["POST", "GET"] as const).map((method) => {
    const summary = "Answers what clients of version 1 ask before they write, such as CREATE DATABASE";
    const answer = () => plain(200, NO_RESULT, JSON_TYPE);
    return { ...v1, method, path: "/query", takes: false, answer, summary, good: RESULT };
  }),
];
