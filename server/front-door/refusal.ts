import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "@/server/contracts/common";
import { DOOR_PROBLEMS, type DoorProblem } from "@/server/contracts/door-problems";
import { securityHeaders } from "./security-headers";

/** The reason why a request isn't let in. */
export interface Refusal {
  readonly kind: DoorProblem;
  /** The fault, in words for a person. */
  readonly detail: string;
  /** The remedy, for whoever runs this server. */
  readonly fix?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a refusal: a page for people, a problem for programs. Security headers must have been set. */
export function answerRefusal(response: ServerResponse, refusal: Refusal, asPage: boolean): void {
  const text = asPage ? pageOf(refusal) : problemOf(refusal);
  response.writeHead(DOOR_PROBLEMS[refusal.kind].status, {
    ...refusal.headers,
    "content-type": asPage ? "text/html; charset=utf-8" : "application/problem+json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}

/** Answers with a refusal when there is no response object to write to, and hangs up. */
export function hangUp(socket: Duplex, refusal: Refusal, isHttps = false): void {
  const text = problemOf(refusal);
  const { status } = DOOR_PROBLEMS[refusal.kind];
  const headers = {
    ...securityHeaders(isHttps),
    ...refusal.headers,
    "content-type": "application/problem+json",
    "content-length": String(Buffer.byteLength(text)),
    "cache-control": "no-store",
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  if (socket.writable) socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join("")}\r\n${text}`);
  socket.once("finish", () => socket.destroy());
  socket.resume();
}

function problemOf({ kind, detail, fix }: Refusal): string {
  const body: Problem = {
    type: `/problems/${kind}`,
    ...DOOR_PROBLEMS[kind],
    detail: fix === undefined ? detail : `${detail} ${fix}`,
  };
  return JSON.stringify(body);
}

function pageOf({ kind, detail, fix }: Refusal): string {
  const title = escaped(DOOR_PROBLEMS[kind].title);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;overflow-wrap:anywhere}h1{font-size:1.25rem}</style>
<h1>${title}</h1><p>${escaped(detail)}</p>${fix === undefined ? "" : `<p>${escaped(fix)}</p>`}</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
