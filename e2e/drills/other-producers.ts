import type { Producer } from "kafkajs";
import { Kafka, logLevel } from "@/server/adapters/kafka/kafkajs";
import type { HealthAnswer } from "@/server/contracts/health";
import type { PipelineAnswer, SkippedBatchView } from "@/server/contracts/pipeline";
import { TOPICS } from "@/server/domain/terms";
import { damageBatch, garbled, withCodec } from "../engines/damage";
import { sendByJava, sendTransactionsByJava } from "../engines/java-producers";
import type { KafkaServer } from "../engines/kafka";
import { processOf } from "../processes";
import { pause, until } from "../waiting";
import { type Checks, createChecks } from "./checks";
import { type DrillOptions, readOptions } from "./drill";
import { drained, exactTotals } from "./pipeline";
import { poisonRecords, sendPoison, takeAnyStamp } from "./poison-records";
import { healthNames, healthy } from "./recovery";
import type { Row } from "./rows";
import { openStage, type Stage } from "./stage";
import { deadLetters, withDatabase } from "./stored";

const TOPIC = TOPICS.telemetry;
const CODECS: Readonly<Record<number, string>> = { 1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd" };
/** A wait longer than a partition may stand still before health calls it stuck, in milliseconds. */
const STILL_MS = 80_000;
/** Messages in each batch that can't be read, and behind it. */
const UNREADABLE = 20;
const BEHIND = 5;

export async function main(argv: string[]): Promise<number> {
  const { wrong } = await otherProducers(readOptions(argv));
  return wrong.length === 0 ? 0 : 1;
}

/**
 * What other producers put into the topic past the route: transactions that were committed and aborted, every codec, records no device would
 * write, and batches nobody can read. Every message is stored, a dead letter, or skipped by a person who was told; the worker never ends.
 */
export async function otherProducers({ mode, short }: Omit<DrillOptions, "seed">): Promise<Row> {
  const began = performance.now();
  const checks = createChecks(`other-producers on ${mode} engines`);
  // What Java sends is of a fixed day.
  const stage = await openStage(mode, "plain", { READINGS_RETENTION_DAYS: "0" });
  const { kafka } = stage.engines;
  const told = { sent: 0, stored: 0, dead: 0 };
  let client: Client | undefined;
  try {
    if (!kafka) throw new Error("This drill needs Kafka: --engines kafka or real.");
    client = await openClient(kafka);
    const worker = processOf(stage.product.tree(), "worker")?.pid;

    const count = short ? 2000 : 20_000;
    const [transactions] = await Promise.all([
      sendTransactionsByJava(kafka.brokers, TOPIC, 0, short ? 10 : 100),
      sendByJava(kafka.brokers, TOPIC, count, CODECS),
    ]);
    const { committed, idempotent, aborted, marks } = transactions;
    const compressed = Object.values(CODECS).map((codec) => [codec, count] as const);
    const wanted = new Map([["committed", committed], ["idempotent", idempotent], ...compressed]);
    const readings = [...wanted.values()].reduce((sum, n) => sum + n, 0);
    const first = await drained(stage.product, readings);
    const whole = Object.fromEntries([...wanted].sort());
    checks.equal("nothing of an aborted transaction is stored, and everything else once", await series(stage), whole);
    checks.equal("totals", exactTotals(first.totals), totalsOf(readings, readings, 0, wanted.size));
    const end = committed + idempotent + aborted + marks;
    checks.equal("the log of the transactions ends with their marks", first.partitions[0]?.end, end);
    await staysWell(stage, checks, short ? 3000 : STILL_MS);

    const poison = poisonRecords(Date.now());
    const letters = poison.filter(({ refused }) => refused !== undefined);
    const poisonStored = poison.length - letters.length;
    await takeAnyStamp(client.kafka);
    const between = await sendPoison(client.producer, poison);
    const messages = readings + poison.length + between;
    const second = await drained(stage.product, messages);
    const stored = readings + poisonStored + between;
    const devices = wanted.size + poisonStored + 1;
    checks.equal(
      "totals with the poison",
      exactTotals(second.totals),
      totalsOf(messages, stored, letters.length, devices),
    );
    const reasons = (await deadLetters(stage)).map(({ reason, raw }) => `${reason} ${raw.toString().slice(0, 60)}`);
    const expected = letters.map(({ refused, message }) => `${refused} ${String(message.value ?? "").slice(0, 60)}`);
    checks.equal("each bad record is a dead letter, kept whole, with its reason", reasons.sort(), expected.sort());
    checks.equal("the worker is the same process", processOf(stage.product.tree(), "worker")?.pid, worker);

    const lost = await unreadable(stage, checks, client, kafka);
    const third = await drained(stage.product, messages + lost.stored);
    checks.equal("all that was skipped is counted", third.totals.skipped, lost.skipped);
    const all = totalsOf(messages + lost.stored, stored + lost.stored, letters.length, devices + 1);
    checks.equal("totals with what was behind the batches", exactTotals(third.totals), all);
    await staysWell(stage, checks, short ? 1000 : STILL_MS);
    checks.equal("the worker is the same process still", processOf(stage.product.tree(), "worker")?.pid, worker);
    told.sent = messages + lost.stored;
    told.stored = third.totals.readings;
    told.dead = letters.length;
  } catch (error) {
    checks.that("it runs to its end", false, (error as Error).stack ?? String(error));
  } finally {
    await client?.close();
    await stage.close();
  }
  checks.finish();
  if (checks.failed.length === 0) stage.remove();
  else console.log(`Kept for a look: ${stage.folder}`);
  const { sent, stored, dead } = told;
  return {
    drill: "other-producers",
    faults: 0,
    sent,
    stored,
    dead,
    lost: Math.max(0, sent - stored - dead),
    twice: Math.max(0, stored + dead - sent),
    recoveries: [],
    seconds: (performance.now() - began) / 1000,
    wrong: [...checks.failed],
  };
}

interface Client {
  readonly kafka: Kafka;
  readonly producer: Producer;
  close(): Promise<void>;
}

async function openClient({ brokers }: KafkaServer): Promise<Client> {
  const kafka = new Kafka({ clientId: "drill", brokers: [brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  return { kafka, producer, close: () => producer.disconnect() };
}

function totalsOf(messages: number, readings: number, dead: number, devices: number) {
  return { messages, readings, duplicates: 0, conflicts: 0, deadLetters: dead, devices };
}

/** Readings of each device if they are numbered from 0 on without a gap; else what there is in words. */
async function series(stage: Stage): Promise<Readonly<Record<string, number | string>>> {
  const { rows } = await withDatabase(stage, (database) =>
    database.query<{ device: string; n: number; whole: boolean }>(
      `SELECT device, count(*)::int AS n, count(DISTINCT value) = count(*) AND min(value) = 0 AND max(value) = count(*) - 1
         AND bool_and(extract(epoch FROM time) * 1000 - 1764000000000 = value) AS whole
       FROM reading GROUP BY device ORDER BY device COLLATE "C"`,
    ),
  );
  return Object.fromEntries(rows.map(({ device, n, whole }) => [device, whole ? n : `${n}, not one of each`]));
}

/**
 * Nothing waits, nothing is missing in the log, and health is well, at each look for that long. Health calls a partition stuck only where messages wait
 * in it for a minute, so a lag that stays 0 is enough to see in the short form.
 */
async function staysWell(stage: Stage, checks: Checks, forMs: number): Promise<void> {
  await healthy(stage);
  const skipped = (await stage.product.get<PipelineAnswer>("/api/v1/pipeline")).totals.skipped;
  const wrong = new Set<string>();
  const deadline = Date.now() + forMs;
  let looks = 0;
  do {
    const [pipeline, health] = await Promise.all([
      stage.product.get<PipelineAnswer>("/api/v1/pipeline"),
      stage.product.get<HealthAnswer>("/api/v1/health"),
    ]);
    for (const one of pipeline.partitions) {
      if (
        one.committed !== one.end ||
        one.lag !== 0 ||
        one.held !== 0 ||
        one.lagSeconds !== 0 ||
        one.lastBreak !== null
      )
        wrong.add(`partition ${one.partition}: ${JSON.stringify(one)}`);
    }
    if (pipeline.lag !== 0 || pipeline.lagSeconds !== 0) wrong.add(`lag ${pipeline.lag}, ${pipeline.lagSeconds} s`);
    if (pipeline.totals.skipped !== skipped) wrong.add(`${pipeline.totals.skipped} skipped`);
    for (const { name, group, status, summary } of health.probes) {
      const well =
        status === "pass" || (status === "warn" && (group !== "Pipeline" || name === "pipeline.dead-letters"));
      if (!well) wrong.add(`${name} ${status}: ${summary}`);
    }
    looks += 1;
    await pause(250);
  } while (Date.now() < deadline);
  checks.that(
    `no lag, and health is well, for ${forMs / 1000} s`,
    wrong.size === 0,
    [...wrong].join("\n") || `${looks} looks`,
  );
}

/** Two partitions each stopped by a batch that can't be read, of which a person skips one after the other. */
async function unreadable(stage: Stage, checks: Checks, client: Client, kafka: KafkaServer) {
  const { product } = stage;
  const time = Date.now();
  let sent = 0;
  const numbered = (partition: number, count: number) =>
    Array.from({ length: count }, () => {
      const value = { device: "behind", time: time + sent, readings: { n: sent++ } };
      return { key: "k", partition, value: JSON.stringify(value) };
    });
  const broken = [
    { partition: 4, change: withCodec(5), crc: "right", reason: "unknownCodec" },
    { partition: 5, change: garbled, crc: "stale", reason: "wrongChecksum" },
  ] as const;

  // An open transaction keeps the worker away until they are damaged.
  const producer = client.kafka.producer({ transactionalId: "drill", maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const offsets = new Map<number, number>();
  try {
    const transaction = await producer.transaction();
    for (const { partition } of broken) await transaction.send({ topic: TOPIC, messages: numbered(partition, 1) });
    for (const { partition, change, crc } of broken) {
      const lost = Array.from({ length: UNREADABLE }, () => ({ key: "k", partition, value: "lost" }));
      const [answer] = await client.producer.send({ topic: TOPIC, messages: lost });
      const offset = Number(answer?.baseOffset);
      damageBatch(kafka, { topic: TOPIC, partition, offset }, change, crc);
      offsets.set(partition, offset);
      await client.producer.send({ topic: TOPIC, messages: numbered(partition, BEHIND) });
    }
    const { partitions } = await product.get<PipelineAnswer>("/api/v1/pipeline");
    const held = partitions.filter((one) => one.held > 0).map(({ partition }) => partition);
    checks.equal("what waits behind the open transaction is told", held, [4, 5]);
    await transaction.commit();
  } finally {
    await producer.disconnect();
  }

  const stopping = async () => {
    const { partitions } = await product.get<PipelineAnswer>("/api/v1/pipeline");
    return partitions.flatMap(({ unreadable: batch }) => batch ?? []);
  };
  const found = async (count: number) => {
    await until(async () => (await stopping()).length === count, {
      timeoutMs: 45_000,
      what: `${count} partitions to stop`,
    });
    return (await stopping()).map(({ partition, from, to, records, reason }) => ({
      partition,
      from,
      to,
      records,
      reason,
    }));
  };
  const wanted = broken.map(({ partition, reason }) => {
    const from = offsets.get(partition)!;
    return { partition, from, to: from + UNREADABLE - 1, records: UNREADABLE, reason };
  });
  checks.equal("each is told with its extent and reason", await found(2), wanted);
  const { probe } = await healthNames(stage, ({ name }) => name === "pipeline.progress");
  const named = /partition [45]/i.test(probe.summary) && probe.summary.includes(`${UNREADABLE} messages`);
  checks.that("health names it, with cause and fix", named, `${probe.summary} ${probe.cause} ${probe.fix}`);

  const before = (await product.get<PipelineAnswer>("/api/v1/pipeline")).totals.messages;
  const others = [0, 1, 2, 3].flatMap((partition) => numbered(partition, 1));
  await client.producer.send({ topic: TOPIC, messages: others });
  await until(async () => (await product.get<PipelineAnswer>("/api/v1/pipeline")).totals.messages === before + 4, {
    timeoutMs: 30_000,
    what: "the other partitions to go on",
  });
  checks.that("the other partitions go on meanwhile", true);

  for (const [i, batch] of wanted.entries()) {
    const skip = async (body: object) => {
      const path = `/api/v1/pipeline/partitions/${batch.partition}/skip`;
      const headers = { "content-type": "application/json" };
      return product.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    };
    const { from, to } = batch;
    const other = await skip({ from, to: to + 1 });
    checks.equal("another batch than the one shown is not skipped", other.status, 409);
    const answer = await skip({ from, to });
    const { partition, records, reason } = (await answer.json()) as SkippedBatchView;
    checks.equal("skipping names what is lost", { partition, from, to, records, reason }, batch);
    checks.equal("it skips that one alone", await found(1 - i), wanted.slice(i + 1));
    checks.equal("it can't be skipped twice", (await skip({ from, to })).status, 409);
  }
  return { stored: sent, skipped: wanted.reduce((sum, { records }) => sum + records, 0) };
}
