import { SingleBar } from "cli-progress";
import type { ReplayProgress } from "./progress-file";

/** Where a replay writes: usually the terminal. */
export interface ReplayOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface ProgressDisplay {
  /** Shows how much of the file is settled. */
  show(bytes: number, messages: number): void;
  /** Shows what it waits for; null when it goes on. */
  waiting(why: string | null): void;
  stop(): void;
}

/** Lines for output that is not a terminal come this often. */
const LINE_MS = 5000;

/** A progress bar on a terminal, and a line now and then anywhere else. */
export function createProgressDisplay(output: ReplayOutput, totalBytes: number): ProgressDisplay {
  const started = Date.now();
  const before = { messages: -1 };
  const rateOf = (messages: number) => {
    if (before.messages < 0) before.messages = messages;
    const seconds = (Date.now() - started) / 1000;
    return seconds > 0.2 ? Math.round((messages - before.messages) / seconds) : 0;
  };
  return output.isTTY ? bar(output, totalBytes, rateOf) : lines(output, totalBytes, rateOf);
}

function bar(output: ReplayOutput, totalBytes: number, rateOf: (messages: number) => number): ProgressDisplay {
  let note = "";
  const single = new SingleBar({
    stream: output as unknown as NodeJS.WritableStream,
    format: "{bar} {percentage} % · {messages} messages · {rate}/s{note}",
    barsize: 30,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    gracefulExit: false,
    clearOnComplete: true,
    stopOnComplete: false,
  });
  single.start(totalBytes, 0, { messages: "0", rate: "0", note });
  return {
    show(bytes, messages) {
      single.update(Math.min(bytes, totalBytes), { messages: count(messages), rate: count(rateOf(messages)), note });
    },
    waiting(why) {
      note = why === null ? "" : ` · waiting: ${why}`.slice(0, 80);
      single.update({ note });
    },
    stop: () => single.stop(),
  };
}

function lines(output: ReplayOutput, totalBytes: number, rateOf: (messages: number) => number): ProgressDisplay {
  let next = Date.now() + LINE_MS;
  let waitingFor: string | null = null;
  return {
    show(bytes, messages) {
      const rate = rateOf(messages);
      if (Date.now() < next) return;
      next = Date.now() + LINE_MS;
      output.write(`${Math.floor((100 * bytes) / totalBytes)} % · ${count(messages)} messages · ${count(rate)}/s\n`);
    },
    waiting(why) {
      if (why !== waitingFor) output.write(why === null ? "going on\n" : `waiting for the server: ${why}\n`);
      waitingFor = why;
    },
    stop() {},
  };
}

/** The closing table: what was sent over all runs of this replay, and each reason with its first example. */
export function closingTable(tally: ReplayProgress["tally"], thisRun: { messages: number; ms: number }): string {
  const reasons = Object.entries(tally.rejected).sort(([, a], [, b]) => b.count - a.count);
  const rejected = reasons.reduce((sum, [, { count }]) => sum + count, 0);
  const rows: [string, string, string][] = [
    ["sent", count(tally.sent), ""],
    ["accepted", count(tally.accepted), ""],
    ["rejected", count(rejected), ""],
    ...reasons.map(([reason, { count: times, first }]): [string, string, string] => [
      `  ${reason}`,
      count(times),
      first,
    ]),
  ];
  const rate = thisRun.ms > 0 ? Math.round((thisRun.messages * 1000) / thisRun.ms) : thisRun.messages;
  rows.push(["elapsed", `${(thisRun.ms / 1000).toFixed(1)} s`, ""], ["rate", `${count(rate)}/s`, ""]);
  const [left, middle] = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] as string).length))) as [
    number,
    number,
  ];
  return (
    rows
      .map(([name, value, note]) => `  ${name.padEnd(left)}  ${value.padStart(middle)}  ${note}`.trimEnd())
      .join("\n") + "\n"
  );
}

/** A number with thousands separated, the same everywhere. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
