import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import pino from "pino";
import { composeEngines } from "@/server/compose";
import type { TelemetryAnswer } from "@/server/contracts/telemetry";
import { TOPICS } from "@/server/domain/terms";
import { processOf } from "../processes";
import type { Product } from "../product";
import { pause, seeded } from "../waiting";
import { createChecks } from "./checks";
import { DRILL_OPTIONS, readMode } from "./drill";
import type { EngineMode } from "./drill-engines";
import { DEVICES, hostileMessage, type HostileMessage, WARM_READINGS, WARM_TIME } from "./hostile-messages";
import { memoryWatch, SMALL_HEAP } from "./memory";
import { drained, exactTotals } from "./pipeline";
import type { Row } from "./rows";
import { openStage } from "./stage";
import { deadLetters } from "./stored";

/** No more than the route names one by one, if it takes none. */
const CHUNK = 100;

export async function main(argv: string[]): Promise<number> {
  const options = { ...DRILL_OPTIONS, messages: { type: "string" }, seed: { type: "string", default: "1" } } as const;
  const { values } = parseArgs({ args: argv, options });
  const count = Number(values.messages ?? (values.short ? 5000 : 200_000));
  const { wrong } = await hostile(readMode(values.engines), count, Number(values.seed));
  return wrong.length === 0 ? 0 : 1;
}

/**
 * Sends generated hostile messages, half through the REST route, half straight into the log past it: the worker never
 * stops, each message ends where it must, the sums are exact, and memory stays flat.
 */
export async function hostile(mode: EngineMode, count: number, seed: number): Promise<Row> {
  const began = performance.now();
  const checks = createChecks(`hostile on ${mode} engines`);
  const stage = await openStage(mode, "plain", SMALL_HEAP);
  const { product } = stage;
  let sent = 0;
  let stored = 0;
  try {
    // Known before anything hostile comes: texts of these metrics are drift, whatever comes first.
    const warm = DEVICES.map((device) => ({ device, time: WARM_TIME, readings: WARM_READINGS }));
    await send(product, JSON.stringify(warm), "application/json");
    await drained(product, DEVICES.length);

    const wanted = {
      messages: DEVICES.length,
      readings: DEVICES.length * Object.keys(WARM_READINGS).length,
      duplicates: 0,
      conflicts: 0,
      deadLetters: 0,
    };
    const reasons = new Map<string, number>();
    const wrongAnswers: string[] = [];
    const worker = processOf(product.tree(), "worker")?.pid;
    const memory = memoryWatch(product);
    const { eventLog, pool, close } = await composeEngines(stage.config(), "drill", pino({ level: "silent" }));
    const random = seeded(seed);
    const expectInLog = (message: HostileMessage) => {
      const letters = message.refused ? [message.refused] : message.fields;
      wanted.messages++;
      wanted.readings += message.readings;
      wanted.duplicates += message.duplicates;
      wanted.conflicts += message.conflicts;
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
        // Messages that can't stand in an array go into the log, so that the numbers stay whole.
        if (turn % 4 !== 0) await append(chunk.filter((one) => !one.isJson));
      } else {
        const empty: HostileMessage = {
          kind: "empty",
          bytes: Buffer.alloc(0),
          isJson: false,
          refused: "notJson",
          readings: 0,
          duplicates: 0,
          conflicts: 0,
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
      await eventLog.append(TOPICS.telemetry, records);
      messages.forEach(expectInLog);
    }

    const { totals } = await drained(product, wanted.messages, 300_000);
    memory.stop();
    checks.equal("totals", exactTotals(totals), { ...wanted, devices: DEVICES.length });
    checks.that(
      "items rejected by the route are named with the right reason",
      wrongAnswers.length === 0,
      wrongAnswers.slice(0, 5).join("; ") || `${rejected} of them`,
    );
    const found = new Map<string, number>();
    for (const { reason } of await deadLetters(stage)) found.set(reason, (found.get(reason) ?? 0) + 1);
    checks.equal(
      "dead letters by reason",
      Object.fromEntries([...found].sort()),
      Object.fromEntries([...reasons].sort()),
    );
    const readings = await pool.query<{ n: number }>("SELECT count(*)::int AS n FROM reading");
    stored = readings.rows[0]?.n ?? 0;
    sent = wanted.readings;
    checks.equal("readings in the table", stored, sent);
    const rolled = await pool.query<{ n: number }>("SELECT coalesce(sum(count), 0)::int AS n FROM reading_minute");
    checks.equal("readings in the minute rollups", rolled.rows[0]?.n, wanted.readings);
    const { rows } = await pool.query<{ n: number }>("SELECT coalesce(sum(conflicts), 0)::int AS n FROM device");
    checks.equal("conflicts of the devices", rows[0]?.n, wanted.conflicts);
    checks.equal("messages accounted for", wanted.messages - DEVICES.length + rejected, count);
    checks.equal("the worker is the same process", processOf(product.tree(), "worker")?.pid, worker);
    for (const [role, { flat, told }] of memory.verdicts()) checks.that(`memory of ${role} stays flat`, flat, told);
    await close();
  } finally {
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  return {
    drill: "hostile",
    faults: 0,
    sent,
    stored,
    dead: 0,
    lost: Math.max(0, sent - stored),
    twice: Math.max(0, stored - sent),
    recoveries: [],
    seconds: (performance.now() - began) / 1000,
    wrong: [...checks.failed],
  };
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
    const answer = await product.fetch("/api/v1/telemetry", { method: "POST", body: payload, headers });
    if (answer.status === 429 || answer.status === 503) {
      await answer.text();
      await pause(Number(answer.headers.get("retry-after") ?? 1) * 1000);
      continue;
    }
    const text = await answer.text();
    // A request whose items are all rejected may be answered as an error; the items are named all the same.
    const parsed = JSON.parse(text) as Partial<TelemetryAnswer>;
    if (!Array.isArray(parsed.rejected))
      throw new Error(`POST telemetry: ${answer.status} ${text.slice(0, 400)}\n${product.log().slice(-2000)}`);
    return { accepted: parsed.accepted ?? 0, rejected: parsed.rejected };
  }
}
