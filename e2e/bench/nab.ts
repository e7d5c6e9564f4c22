import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { detectorOf, ODD_FROM, stepDetector } from "@/server/domain/oddness/detector";
import { machine, markdownTable } from "./report";

/** Weights of false positives and missed windows in NAB's three profiles; a window found is worth 1. */
const PROFILES = { standard: [0.11, 1], "low FP": [0.22, 1], "low FN": [0.11, 2] } as const;

interface Row {
  readonly time: number;
  readonly value: number;
}

interface File {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly windows: readonly (readonly [from: number, to: number])[];
}

/**
 * Scores the step function of odd behaviour by the rules of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015), at the
 * product's own threshold: `npm run bench -- nab --data DIR`. DIR is a checkout of NAB, or a folder of its files with a windows.json.
 */
export async function main(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { data: { type: "string" }, threshold: { type: "string", default: String(ODD_FROM) } },
  });
  if (values.data === undefined) {
    console.error("--data names a checkout of NAB, or a folder of its files with a windows.json");
    return 2;
  }
  const { files, named } = readFiles(values.data);
  if (files.length === 0) throw new Error(`${values.data} has none of the files that its windows name`);
  const found = files.map((file) => detections(file, Number(values.threshold)));
  // Timed the second time, as a worker runs it: compiled. By the processor's time, whatever else runs.
  const began = process.cpuUsage();
  for (const file of files) detections(file, Number(values.threshold));
  const took = process.cpuUsage(began).user / files.reduce((sum, { rows }) => sum + rows.length, 0);
  const names = Object.keys(PROFILES) as (keyof typeof PROFILES)[];
  const lines = files.map((file, i) => [
    file.name,
    String(file.windows.length),
    String(file.windows.filter((window) => found[i]!.some((at) => within(file.rows[at]!.time, window))).length),
    String(found[i]!.filter((at) => !file.windows.some((window) => within(file.rows[at]!.time, window))).length),
  ]);
  console.log(`${machine()}\n\n${markdownTable(["file", "windows", "found", "false alarms"], lines)}\n`);
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0);
  for (const name of names) {
    const [falsePositive, missed] = PROFILES[name];
    const raw = files.reduce((sum, file, i) => sum + rawScore(file, found[i]!, falsePositive, missed), 0);
    console.log(`${name}: ${((100 * (raw + missed * windows)) / (windows + missed * windows)).toFixed(1)}`);
  }
  const days = files.reduce((sum, { rows }) => sum + (rows.at(-1)!.time - rows[0]!.time) / DAY_MS, 0);
  const alarms = lines.reduce((sum, [, , , false_]) => sum + Number(false_), 0);
  console.log(`${files.length} files of ${named}; ${(alarms / days).toFixed(3)} false alarms a series-day`);
  console.log(`${took.toFixed(2)} µs a step`);
  return 0;
}

/** Rows at which a stretch begins that the detector says is odd. */
function detections({ rows }: File, threshold: number): number[] {
  const state = detectorOf();
  const found: number[] = [];
  const probation = Math.floor(0.15 * Math.min(rows.length, 5000));
  rows.forEach(({ time, value }, i) => {
    const { since } = stepDetector(state, time, { mean: value, min: value, max: value }, { oddFrom: threshold });
    if (i >= probation && since === time) found.push(i);
  });
  return found;
}

/** NAB's sum for one file: the earliest in a window earns most, one after it costs the more the farther it is. */
function rawScore({ rows, windows }: File, found: readonly number[], falsePositive: number, missed: number): number {
  const places = windows.map(([from, to]) => {
    const first = rows.findIndex(({ time }) => time >= from);
    return { first, last: rows.findLastIndex(({ time }) => time <= to) };
  });
  let score = 0;
  for (const { first, last } of places) {
    const inside = found.filter((at) => at >= first && at <= last);
    const width = last - first + 1;
    score +=
      inside.length === 0 ? -missed : Math.max(...inside.map((at) => sigmoid(-(last - at + 1) / width))) / sigmoid(-1);
  }
  for (const at of found) {
    if (places.some(({ first, last }) => at >= first && at <= last)) continue;
    const before = places.findLast(({ last }) => last < at);
    score += falsePositive * (before ? sigmoid((at - before.last) / (before.last - before.first)) : -1);
  }
  return score;
}

function sigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

function within(time: number, [from, to]: readonly [number, number]): boolean {
  return time >= from && time <= to;
}

const DAY_MS = 86_400_000;

/** The files whose windows are named, of those that are there. */
function readFiles(folder: string): { readonly files: File[]; readonly named: number } {
  const labels = ["windows.json", "labels/combined_windows.json"]
    .map((name) => path.join(folder, name))
    .find(existsSync);
  if (labels === undefined) throw new Error(`${folder} has no windows.json and no labels/combined_windows.json`);
  const data = existsSync(path.join(folder, "data")) ? path.join(folder, "data") : folder;
  const windows = JSON.parse(readFileSync(labels, "utf8")) as Record<string, [string, string][]>;
  const files = Object.keys(windows)
    .filter((name) => statSync(path.join(data, name), { throwIfNoEntry: false })?.isFile())
    .map((name) => ({
      name,
      rows: readFileSync(path.join(data, name), "utf8")
        .trim()
        .split(/\r?\n/)
        .slice(1)
        .map((line) => line.split(","))
        .map(([time, value]) => ({ time: timeOf(time!), value: Number(value) })),
      windows: windows[name]!.map(([from, to]) => [timeOf(from), timeOf(to)] as const),
    }));
  return { files, named: Object.keys(windows).length };
}

function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(" ", "T")}Z`);
}
