import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Product, startProduct } from "../product";
import { machine, markdownTable, median, ratio } from "./report";

const ROUNDS = 5;
const AT_ONCE = 8;
const BATCH = 200;

/** One way in: how many messages a request has, and how a request is made of the number of its first message. */
interface Way {
  readonly name: string;
  readonly route: string;
  readonly messages: number;
  readonly requests: number;
  body(from: number): string;
}

/**
 * Messages a second that the built product takes in the own shape and through templates, in turns of one run: a message a request as webhooks send, and
 * many a request. @param ttnBody makes a TTN uplink.
 */
export async function measureRates(ttnBody: (i: number) => string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-mapping-"));
  const env = { DEMO_DEVICES: "0", KEY_MESSAGES_PER_SECOND: "0", KEY_BYTES_PER_SECOND: "0", MAX_METRICS: "1000" };
  const product = await startProduct({ dataDir: path.join(folder, "data"), env });
  try {
    await product.ready();
    for (const kind of ["ttn-v3", "generic"]) await make(product, kind);
    const time = Date.now() - 3_600_000;
    const values = (i: number) => `"temperature":${20 + (i % 100) / 10},"humidity":${40 + (i % 50)},"on":true`;
    const own = (i: number) => `{"device":"d-${i % 50}","time":${time + i},"readings":{${values(i)}}}`;
    const foreign = (i: number) => `{"device":"d-${i % 50}","ts":${time + i},${values(i)}}`;
    const lines = (line: (i: number) => string) => (from: number) =>
      Array.from({ length: BATCH }, (_, i) => line(from + i)).join("\n");
    const single = { messages: 1, requests: 400 };
    const many = { messages: BATCH, requests: 60 };
    const pairs: readonly (readonly [Way, Way])[] = [
      [
        { name: "own shape, one a request", route: "/api/v1/telemetry", ...single, body: own },
        { name: "TTN v3, one a request", route: "/ingest/ttn-v3", ...single, body: ttnBody },
      ],
      [
        { name: `own shape, ${BATCH} a request`, route: "/api/v1/telemetry", ...many, body: lines(own) },
        { name: `generic JSON, ${BATCH} a request`, route: "/ingest/generic", ...many, body: lines(foreign) },
      ],
    ];
    let next = 0;
    const rows: string[][] = [];
    for (const pair of pairs) {
      const rates: [number[], number[]] = [[], []];
      for (let round = 0; round <= ROUNDS; round++)
        for (const i of [0, 1] as const) {
          const rate = await rateOf(product, pair[i], next);
          next += pair[i].messages * pair[i].requests;
          // The first round warms up.
          if (round > 0) rates[i].push(rate);
        }
      const [base, mapped] = [median(rates[0]), median(rates[1])];
      rows.push([pair[0].name, String(Math.round(base)), ""]);
      rows.push([pair[1].name, String(Math.round(mapped)), ratio(mapped, base)]);
    }
    console.log(`\n${machine()}\n\n${markdownTable(["", "messages/s", "of the own shape (at least 0.8)"], rows)}`);
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function make(product: Product, kind: string): Promise<void> {
  const body = JSON.stringify({ name: kind, kind, answer: "webhook" });
  const answer = await post(product, "/api/v1/sources", body, "application/json");
  if (!answer.ok) throw new Error(`POST sources: ${answer.status} ${await answer.text()}`);
  const key = await post(product, `/api/v1/sources/${kind}/keys`, "{}", "application/json");
  keys.set(`/ingest/${kind}`, ((await key.json()) as { text: string }).text);
}

/** The key that a route is asked with. */
const keys = new Map<string, string>();

async function rateOf(product: Product, { route, messages, requests, body }: Way, first: number): Promise<number> {
  const bodies = Array.from({ length: requests }, (_, i) => body(first + i * messages));
  const type = messages === 1 ? "application/json" : "application/x-ndjson";
  const began = performance.now();
  const sender = async () => {
    for (let one = bodies.pop(); one !== undefined; one = bodies.pop()) {
      const answer = await post(product, route, one, type);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`POST ${route}: ${answer.status} ${text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  return (messages * requests) / ((performance.now() - began) / 1000);
}

function post(product: Product, route: string, body: string, type: string): Promise<Response> {
  const key = keys.get(route);
  const headers = { "content-type": type, ...(key && { authorization: `Bearer ${key}` }) };
  return product.fetch(route, { method: "POST", headers, body });
}
