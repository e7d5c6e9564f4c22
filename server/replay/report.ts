import { SingleBar } from "cli-progress";
import type { Outcome } from "./outcome";
import type { ReplayProgress } from "./progress-file";

/** The output of a replay: usually the terminal. */
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

/**
 * The closing table: what was sent over all runs of this replay, what the telemetry route took, and what the pipeline made
 * of it; each reason with its first example.
 */
export function closingTable(
  tally: ReplayProgress["tally"],
  outcome: Outcome | null,
  thisRun: { messages: number; ms: number },
): string {
  const rowsOf = (reasons: ReplayProgress["tally"]["rejected"]) =>
    Object.entries(reasons)
      .sort(([, a], [, b]) => b.count - a.count)
      .map(([reason, { count: times, first }]) => [`  ${reason}`, count(times), first]);
  const [rejected, partly] = [sumOf(tally.rejected), sumOf(tally.partly)];
  const run = outcome?.run;
  const letters = run?.refused.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const optional = (name: string, value: number, note = "") => (value > 0 ? [[name, count(value), note]] : []);
  const rows: string[][] = [
    ...optional("rows without a value", tally.empty, "not sent"),
    ...optional("rows longer than the header", tally.long, "fields behind its last name are not read"),
    ["sent", count(tally.sent)],
    ["accepted", count(tally.accepted)],
    ["rejected", count(rejected)],
    ...rowsOf(tally.rejected),
    ...optional("parts left out", partly, "of messages that were sent"),
    ...rowsOf(tally.partly),
  ];
  if (run) {
    rows.push(
      ["handled", count(run.messages)],
      ...optional("  still waiting", outcome.waiting),
      ["  readings stored", count(run.readings)],
      ["  repeats", count(run.repeats), run.repeats > 0 ? "there already with the same value" : ""],
      ["  conflicts", count(run.conflicts), run.conflicts > 0 ? "another value is there already, and stays" : ""],
      ...optional("  texts", run.texts, "kept as words, with a history of their own"),
      ["  dead letters", count(letters)],
      ...run.refused.map(({ reason, count: times, example }) => [`    ${reason}`, count(times), example ?? ""]),
    );
    if (tally.again > 0)
      rows.push([
        "  counted twice",
        `≤ ${count(tally.again)}`,
        "messages that went out again after an answer was lost",
      ]);
  }
  const rate = thisRun.ms > 0 ? Math.round((thisRun.messages * 1000) / thisRun.ms) : thisRun.messages;
  rows.push(["elapsed", `${(thisRun.ms / 1000).toFixed(1)} s`], ["rate", `${count(rate)}/s`]);
  return table(rows, 1);
}

/** The share of messages of which something was refused, from 0 to 1; by the route alone if no more is known. */
export function refusedShare(tally: ReplayProgress["tally"], outcome: Outcome | null): number {
  const refused = sumOf(tally.rejected) + sumOf(tally.partly) + (outcome?.run?.faulty ?? 0);
  return tally.sent === 0 ? 0 : Math.min(1, refused / tally.sent);
}

/** The items of which nothing was taken, by name; null if there are none. */
export function lostItems({ rejected, lost }: ReplayProgress["tally"]): string | null {
  const all = Math.max(sumOf(rejected), lost.length);
  return all === 0 ? null : `Of these nothing was taken: ${namesOf(lost, all)}.`;
}

/** Places that are told by name, at most. */
export const MOST_LOST = 20;

/** The first of so many places. */
export function namesOf(places: readonly string[], all: number): string {
  const told = places.slice(0, MOST_LOST);
  return `${told.join(", ")}${all > told.length ? ` and ${count(all - told.length)} more` : ""}`;
}

function sumOf(reasons: ReplayProgress["tally"]["rejected"]): number {
  return Object.values(reasons).reduce((sum, { count }) => sum + count, 0);
}

/** Lines in columns; the one named is aligned at its right, the last is as long as it is. */
export function table(rows: readonly (readonly string[])[], right = -1): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, shown(cell).length);
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === right ? shown(cell).padStart(widths[i]!) : shown(cell).padEnd(widths[i]!))).join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}\n`).join("");
}

/** Replaces control characters: the text of a file must not steer the terminal. */
function shown(cell: string): string {
  return cell.replace(/[\u0000-\u001f\u007f]+/g, " ");
}

/** A number with thousands separated, the same everywhere. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
