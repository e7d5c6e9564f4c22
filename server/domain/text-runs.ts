import type { EpochMs } from "./terms";

/**
 * The history of a text field, as runs: from `from` to `to`, both the event times of messages, every message of the device that had this field
 * said `value`. Null: it changed too often to be kept. Runs of a series don't overlap, and no two beside each other say the same, unless that is
 * nothing.
 *
 * A message within a run that says something else parts it. Where the run knows that its own messages leave its time free (`quiet`), its parts end
 * and begin at messages again; else nobody can say where the messages beside it are, and the parts end a millisecond before it and begin one after
 * it. So each time at which a message came has the value that it said, in whatever order messages came; only where what came late lies among messages
 * that say something else can there be parts between that hold no message.
 */
export interface TextRun {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly value: string | null;
  /** The longest time between two messages of the run, next to each other, that is known; null: none is. */
  readonly quiet: Quiet | null;
}

type Quiet = readonly [after: EpochMs, before: EpochMs];

/** Bounds of what is kept of texts. */
export const TEXT_RUNS = {
  /** Runs of a series that begin within one day, UTC. */
  perDay: 1000,
  /** Text fields of a device that have a history. */
  fields: 256,
} as const;

const DAY = 86_400_000;

/** The start of the day, UTC, that `time` is in, in epoch milliseconds. */
export function dayOf(time: EpochMs): EpochMs {
  return Math.floor(time / DAY) * DAY;
}

/** The runs that may be of the days from that of `first` to that of `last`. */
export function mostRuns(first: EpochMs, last: EpochMs): number {
  return ((dayOf(last) - dayOf(first)) / DAY + 1) * TEXT_RUNS.perDay;
}

/**
 * Adds what messages said, in the order in which they came, to the runs of one series. Of two messages of one time the first is kept, as it is of
 * readings, unless it lies within a run: runs don't say which times within them are taken.
 * @param runs in order of time: those around the messages, and two before and one after them if there are
 * @param room the runs there may be more than before. Without room, the run at or before the message becomes one that changed too often.
 */
export function addTexts(
  runs: readonly TextRun[],
  texts: readonly (readonly [time: EpochMs, value: string])[],
  room = Infinity,
): readonly TextRun[] {
  const changed = [...runs];
  let left = room;
  for (const [time, value] of texts) left -= addText(changed, time, value, left);
  return changed;
}

/** @returns the runs there are more than before. */
function addText(runs: TextRun[], time: EpochMs, value: string, room: number): number {
  const i = lastFrom(runs, time);
  const at = runs[i];
  const isWithin = at !== undefined && time <= at.to;
  if (isWithin && (at.value === value || at.value === null)) {
    runs[i] = at.value === null ? at : noted(at, time);
    return 0;
  }
  if (isWithin && isTaken(runs, i, time)) return 0;
  if (at?.value === null && !isWithin && dayOf(at.from) === dayOf(time)) {
    runs[i] = { ...at, to: time };
    return 0;
  }
  const said = { from: time, to: time, value, quiet: null };
  // The neighbours go with them, to be joined with what says the same.
  const [start, end] = isWithin ? [Math.max(0, i - 1), i + 2] : [Math.max(0, i), i + 2];
  const around = runs.slice(start, end);
  const own = isWithin ? parted(at, said) : [said];
  const joined = joinedRuns([...runs.slice(start, isWithin ? i : i + 1), ...own, ...runs.slice(i + 1, end)]);
  const more = joined.length - around.length;
  if (more <= room) {
    runs.splice(start, around.length, ...joined);
    return more;
  }
  const place = Math.max(0, i);
  const { from, to } = runs[place]!;
  const lost = { from: Math.min(from, time), to: Math.max(to, time), value: null, quiet: null };
  const beside = runs.slice(Math.max(0, place - 1), place + 2);
  const fewer = joinedRuns(beside.map((run) => (run === runs[place] ? lost : run)));
  runs.splice(Math.max(0, place - 1), beside.length, ...fewer);
  return fewer.length - beside.length;
}

/** True if a message of the run is known to be of that time, which is within it. */
function isTaken(runs: readonly TextRun[], i: number, time: EpochMs): boolean {
  const { from, to, quiet } = runs[i]!;
  if (quiet?.includes(time)) return true;
  // Where runs touch, one was parted by the other.
  if (time === from) return runs[i - 1]?.to !== from - 1;
  return time === to && runs[i + 1]?.from !== to + 1;
}

/** What is left of a run that a message within it parts, and what the message said. */
function parted({ from, to, value, quiet }: TextRun, said: TextRun): TextRun[] {
  const time = said.from;
  const isQuiet = quiet !== null && quiet[0] < time && time < quiet[1];
  const [end, begin] = isQuiet ? quiet : [time - 1, time + 1];
  const within = (run: TextRun) =>
    quiet !== null && run.from <= quiet[0] && quiet[1] <= run.to ? { ...run, quiet } : run;
  const left = within({ from, to: end, value, quiet: null });
  const right = within({ from: begin, to, value, quiet: null });
  return [...(from <= end ? [left] : []), said, ...(begin <= to ? [right] : [])];
}

/** Makes one of those beside each other that say the same. */
function joinedRuns(runs: readonly TextRun[]): TextRun[] {
  const joined: TextRun[] = [];
  for (const run of runs) {
    const before = joined.at(-1);
    if (before?.value !== run.value) joined.push(run);
    else joined[joined.length - 1] = joinedRun(before, run);
  }
  return joined;
}

function joinedRun(a: TextRun, b: TextRun): TextRun {
  const between: Quiet | null = b.from - a.to > 1 ? [a.to, b.from] : null;
  const quiet = a.value === null ? null : longer(longer(a.quiet, between), b.quiet);
  return { from: a.from, to: b.to, value: a.value, quiet };
}

/** A run that has a message at that time, too. */
function noted(run: TextRun, time: EpochMs): TextRun {
  const { quiet } = run;
  if (quiet === null || time <= quiet[0] || time >= quiet[1]) return run;
  return { ...run, quiet: longer([quiet[0], time], [time, quiet[1]]) };
}

function longer(a: Quiet | null, b: Quiet | null): Quiet | null {
  if (a === null || b === null) return a ?? b;
  return b[1] - b[0] > a[1] - a[0] ? b : a;
}

/** The place of the last run that begins at `time` or before; -1: none does. */
function lastFrom(runs: readonly TextRun[], time: EpochMs): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle]!.from <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
