import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { createPostgresEventLog } from "@/server/adapters/postgres/event-log";
import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { TOPICS } from "@/server/domain/terms";
import { createPool } from "@/server/database/connection";
import { processOf } from "../processes";
import { type Product, startProduct } from "../product";
import { pause, seeded } from "../waiting";
import { createChecks } from "./checks";
import { DEVICES, hostileMessage, type HostileMessage, WARM_READINGS, WARM_TIME } from "./hostile-messages";
import { memoryWatch } from "./memory";
import { drained } from "./pipeline";

const CHUNK = 500;

/**
 * Sends generated hostile messages, half through the REST route, half straight into the log past it: the worker never
 * stops, each message ends where it must, the sums are exact, and memory stays flat.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { messages: { type: "string", default: "200000" }, seed: { type: "string", default: "1" } },
  });
  const count = Number(values.messages);
  const checks = createChecks("hostile");
  const folder = mkdtempSync(path.join(tmpdir(), "fieldwatch-hostile-"));
  const product = await startProduct({ dataDir: path.join(folder, "data"), env: { DEMO_DEVICES: "0" } });
  try {
    await product.ready();
    // First sight decides a metric's kind, so it is settled before anything hostile comes.
    const warm = DEVICES.map((device) => ({ device, time: WARM_TIME, readings: WARM_READINGS }));
    await send(product, JSON.stringify(warm), "application/json");
    await drained(product, DEVICES.length);

    const wanted = {
      messages: DEVICES.length,
      readings: DEVICES.length * Object.keys(WARM_READINGS).length,
      duplicates: 0,
      deadLetters: 0,
    };
    const reasons = new Map<string, number>();
    const wrongAnswers: string[] = [];
    const worker = processOf(product.tree(), "worker")?.pid;
    const memory = memoryWatch(product);
    const pool = createPool(product.connectionString(), { role: "drill", logger: pino({ level: "silent" }), size: 2 });
    const log = createPostgresEventLog({
      pool,
      connectionString: product.connectionString(),
      role: "drill",
      logger: pino({ level: "silent" }),
    });
    const random = seeded(Number(values.seed));
    const expectInLog = (message: HostileMessage) => {
      const letters = message.refused ? [message.refused] : message.fields;
      wanted.messages++;
      wanted.readings += message.readings;
      wanted.duplicates += message.duplicates;
      wanted.deadLetters += letters.length;
      for (const reason of letters) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    };

    let rejected = 0;
    const started = Date.now();
    for (let at = 0; at < count; at += CHUNK) {
      const chunk = Array.from({ length: Math.min(CHUNK, count - at) }, (_, i) => hostileMessage(at + i, random));
      const turn = Math.floor(at / CHUNK);
      if (turn % 2 === 0) {
        rejected += await throughRest(
          product,
          turn % 4 === 0 ? chunk : chunk.filter((one) => one.isJson),
          turn % 4 === 0,
          turn % 8 < 4,
          expectInLog,
          wrongAnswers,
        );
        // What can't stand in an array goes into the log, so that the numbers stay whole.
        if (turn % 4 !== 0) await append(chunk.filter((one) => !one.isJson));
      } else {
        const empty: HostileMessage = {
          kind: "empty",
          bytes: Buffer.alloc(0),
          isJson: false,
          refused: "notJson",
          readings: 0,
          duplicates: 0,
          fields: [],
        };
        await append(turn % 20 === 1 ? [...chunk.slice(1), empty] : chunk);
      }
      if (turn % 40 === 39)
        console.log(
          `  ${at + CHUNK} messages, ${Math.round((at + CHUNK) / ((Date.now() - started) / 1000))}/s; ${memory.now()}`,
        );
    }
    async function append(messages: readonly HostileMessage[]): Promise<void> {
      const records = messages.map((one, i) => ({
        key: i % 3 === 0 ? null : DEVICES[i % DEVICES.length]!,
        value: one.bytes,
      }));
      await log.append(TOPICS.telemetry, records);
      messages.forEach(expectInLog);
    }

    const { totals } = await drained(product, wanted.messages, 300_000);
    memory.stop();
    checks.equal("totals", totals, { ...wanted, devices: DEVICES.length });
    checks.that(
      "items rejected by the route are named with the right reason",
      wrongAnswers.length === 0,
      wrongAnswers.slice(0, 5).join("; ") || `${rejected} of them`,
    );
    const found = await pool.query<{ reason: string; n: number }>(
      "SELECT reason, count(*)::int AS n FROM dead_letter GROUP BY reason ORDER BY reason",
    );
    checks.equal(
      "dead letters by reason",
      Object.fromEntries(found.rows.map((row) => [row.reason, row.n])),
      Object.fromEntries([...reasons].sort()),
    );
    const stored = await pool.query<{ n: number }>(
      "SELECT coalesce(sum(cardinality(metrics)), 0)::int AS n FROM sample",
    );
    checks.equal("readings in the table", stored.rows[0]?.n, wanted.readings);
    const rolled = await pool.query<{ n: number }>(
      "SELECT coalesce(sum(c), 0)::int AS n FROM rollup_minute, unnest(counts) c",
    );
    checks.equal("readings in the minute rollups", rolled.rows[0]?.n, wanted.readings);
    checks.equal("messages accounted for", wanted.messages - DEVICES.length + rejected, count);
    checks.equal("the worker is the same process", processOf(product.tree(), "worker")?.pid, worker);
    for (const [role, { flat, told }] of memory.verdicts()) checks.that(`memory of ${role} stays flat`, flat, told);
    await log.close();
    await pool.end();
  } finally {
    await product.stop();
  }
  const code = checks.finish();
  if (code === 0) rmSync(folder, { recursive: true, force: true });
  else console.log(`Kept for a look: ${folder}`);
  return code;
}

/** Posts a chunk and compares the answer item by item. @returns how many were rejected. */
async function throughRest(
  product: Product,
  chunk: readonly HostileMessage[],
  lines: boolean,
  zipped: boolean,
  expectInLog: (message: HostileMessage) => void,
  wrong: string[],
): Promise<number> {
  const parts = chunk.flatMap((one, i) => [
    Buffer.from(lines ? (i === 0 ? "" : "\n") : i === 0 ? "[" : ","),
    one.bytes,
  ]);
  const body = Buffer.concat(lines ? parts : [...parts, Buffer.from("]")]);
  const answer = await send(product, body, lines ? "application/x-ndjson" : "application/json", zipped);
  const named = new Map(answer.rejected.map((item) => [item.index, item.reason]));
  chunk.forEach((one, i) => {
    if (named.get(i) !== one.refused)
      wrong.push(
        `${one.kind} (${lines ? "line" : "array"}) ${one.bytes.toString("latin1").slice(0, 90)}: ${named.get(i) ?? "accepted"}, expected ${one.refused ?? "accepted"}`,
      );
    if (one.refused === undefined) expectInLog(one);
  });
  const accepted = chunk.filter((one) => one.refused === undefined).length;
  if (answer.accepted !== accepted) wrong.push(`accepted ${answer.accepted}, expected ${accepted}`);
  return answer.rejected.length;
}

async function send(product: Product, body: Buffer | string, type: string, zipped = false): Promise<TelemetryAnswer> {
  const payload = zipped ? gzipSync(body, { level: 1 }) : Buffer.from(body);
  const headers = { "content-type": type, ...(zipped ? { "content-encoding": "gzip" } : {}) };
  for (;;) {
    const answer = await fetch(`${product.url}/api/v1/telemetry`, { method: "POST", body: payload, headers });
    if (answer.status === 429 || answer.status === 503) {
      await answer.text();
      await pause(Number(answer.headers.get("retry-after") ?? 1) * 1000);
      continue;
    }
    const text = await answer.text();
    // A request whose items are all rejected may be answered as an error; the items are named all the same.
    const parsed = JSON.parse(text) as Partial<TelemetryAnswer>;
    if (!Array.isArray(parsed.rejected)) throw new Error(`POST telemetry: ${answer.status} ${text.slice(0, 400)}`);
    return { accepted: parsed.accepted ?? 0, rejected: parsed.rejected };
  }
}
