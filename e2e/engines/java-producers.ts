import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { prepareJava } from "./java";

/**
 * Sends `count` numbered messages into each partition by Java's own producer: the device is named as the codec, `n` counts from 0 and
 * `time` from 1764000000000. @throws Error with what Java printed.
 */
export async function sendByJava(
  brokers: string,
  topic: string,
  count: number,
  codecs: Readonly<Record<number, string>>,
): Promise<void> {
  const targets = Object.entries(codecs).map(([partition, codec]) => `${partition}:${codec}`);
  await runJava("JavaProducer.java", [brokers, topic, String(count), ...targets]);
}

/** The number of records that {@link sendTransactionsByJava} leaves in the log. */
export interface JavaTransactions {
  readonly committed: number;
  readonly idempotent: number;
  readonly aborted: number;
  /** Ends of transactions: offsets without a record. */
  readonly marks: number;
}

/**
 * Sends transactions that overlap, committed and aborted, with idempotent messages between them, by Java's own producer. The devices are
 * `committed`, `idempotent` and `aborted`, numbered as by {@link sendByJava}. The log then ends with the mark of an aborted one.
 * @throws Error with what Java printed.
 */
export async function sendTransactionsByJava(
  brokers: string,
  topic: string,
  partition: number,
  rounds: number,
): Promise<JavaTransactions> {
  await runJava("JavaTransactions.java", [brokers, topic, String(partition), String(rounds)]);
  return { committed: 6 * rounds, idempotent: 4 * rounds, aborted: 3 * rounds + 3, marks: 2 * rounds + 1 };
}

/** Java compiles the one file as it starts. */
async function runJava(source: string, args: readonly string[]): Promise<void> {
  const { program, classPath } = await prepareJava();
  await promisify(execFile)(program, ["-cp", classPath, path.join("e2e", "engines", source), ...args]);
}
