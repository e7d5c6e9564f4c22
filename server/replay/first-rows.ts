import { metricsAnswer } from "@/server/contracts/metrics";
import type { Authorization } from "@/server/delivery/authorization";
import { counted } from "@/server/domain/counted";
import { judgeFields } from "@/server/domain/fields";
import type { Leaf } from "@/server/domain/mapping/delivery";
import type { DecodeBounds } from "@/server/domain/decode-message";
import { type DecodedMessage, readingsOf } from "@/server/domain/message";
import { type BatchOptions, decodeItem } from "./batches";
import { FIRST_ROWS } from "./csv-layout";
import { askRoute } from "./outcome";
import { namesOf, table } from "./report";
import type { Source, SourceItem } from "./source";

/** One thing in the rows, and what becomes of it. */
interface Seen {
  readonly from: string;
  readonly becomes: string;
  readonly kinds: Set<string>;
  readonly units: Set<string>;
  example: string;
}

/** The outcome of a recording's first rows, found before anything is sent. */
export interface FirstRows {
  readonly rows: number;
  /** Rows without a value; nothing is sent for them. */
  readonly empty: number;
  /** Places of rows of which nothing could be read. */
  readonly lost: readonly string[];
  readonly devices: ReadonlySet<string>;
  readonly times: { readonly first: number; readonly last: number } | null;
  /** In the order they were met; device and time apart. */
  readonly seen: readonly Seen[];
  /** Where devices and times are, in the file's own words. */
  readonly deviceFrom: string;
  readonly timeFrom: string;
  /** Messages and fields that would be refused. */
  readonly refused: ReadonlyMap<string, { count: number; readonly example: string }>;
}

/** Reads the first rows and judges them by the rules that the worker judges them by. */
export async function readFirstRows(
  source: Source,
  options: BatchOptions,
  bounds: DecodeBounds,
  metricsRoute: URL,
  authorization: Authorization,
): Promise<FirstRows> {
  const refused = new Map<string, { count: number; example: string }>();
  const refuse = ({ place }: SourceItem, reason: string, detail: string) => {
    const before = refused.get(reason);
    if (before) before.count++;
    else refused.set(reason, { count: 1, example: `${place}: ${detail}`.slice(0, 200) });
  };
  const items: { readonly item: SourceItem; readonly messages: DecodedMessage[] }[] = [];
  const names = source.plan?.mapping.readings.flatMap(({ name }) => name ?? []) ?? [];
  const view = createView((path) => names.some((name) => name.includes(`{envelope.${path}}`)));
  let [rows, empty] = [0, 0];
  for await (const item of source.items({ number: 0, bytes: 0 }, true)) {
    if (rows++ === FIRST_ROWS) break;
    view.look(item);
    for (const { reason, detail } of item.refused) refuse(item, reason, detail);
    if (item.texts.length + item.refused.length === 0) empty++;
    else items.push({ item, messages: [] });
    for (const outcome of decodeItem(item, options, bounds)) {
      if (outcome.ok) items.at(-1)!.messages.push(outcome.message);
      else refuse(item, outcome.reason, outcome.detail);
    }
  }

  const there = await askRoute(metricsRoute, metricsAnswer, authorization);
  const known = new Set(there === null || there === "unknown" ? [] : there.items.map(({ name }) => name));
  const all = items.flatMap(({ messages }) => messages);
  for (const { shape } of all) for (const name of shape.names) known.add(name);
  const lost: string[] = [];
  for (const { item, messages } of items) {
    let read = 0;
    for (const message of messages) {
      const judged = judgeFields(message, (name) => known.has(name));
      read += judged.values.length + judged.texts.length;
      for (const [name, value] of [...readingsOf(judged), ...judged.texts])
        if (item.messages === null) view.read(name, name, value, null);
      for (const { reason, detail } of judged.refused) refuse(item, reason, detail);
    }
    if (read === 0) lost.push(item.place);
  }
  const times = all.map(({ eventTime }) => eventTime);
  const isMapped = source.plan !== null;
  return {
    rows: Math.min(rows, FIRST_ROWS),
    ...{ empty, lost, refused },
    devices: new Set(all.map(({ device }) => device)),
    times: times.length > 0 ? { first: Math.min(...times), last: Math.max(...times) } : null,
    seen: view.seen(),
    deviceFrom:
      options.deviceName !== null ? "--device-name" : isMapped ? view.placesOf("device") : options.mapping.device,
    timeFrom: isMapped ? view.placesOf("time") : options.mapping.time,
  };
}

/** Why a value becomes nothing, for a person. */
const IGNORED: Readonly<Record<string, string>> = {
  ...{
    when: "the mapping says it is no data",
    outside: "not where the readings are",
    include: "not among those taken",
  },
  ...{ exclude: "left out by its name", arrays: "in a list", depth: "nested too deep", unused: "another one is taken" },
  ...{ null: "no value", empty: "no value", absent: "stands for no value", noValues: "no value" },
};

/**
 * Gathers what becomes of each place.
 * @param isName true for a place whose values name metrics.
 */
function createView(isName: (path: string) => boolean) {
  const seen = new Map<string, Seen>();
  const places = { device: new Set<string>(), time: new Set<string>() };
  const at = (from: string, becomes: string) => {
    const key = JSON.stringify([from, becomes]);
    let one = seen.get(key);
    if (!one) seen.set(key, (one = { from, becomes, kinds: new Set(), units: new Set(), example: "" }));
    return one;
  };
  const read = (from: string, metric: string, value: unknown, unit: string | null) => {
    const one = at(from, metric);
    if (one.example === "") one.example = String(value).slice(0, 40);
    one.kinds.add(typeof value === "string" ? "text" : typeof value);
    if (unit !== null) one.units.add(unit);
  };
  const lookAt = ({ path, as, why }: Leaf) => {
    if (as === "device" || as === "time") places[as].add(path);
    else if (as === "ignored" && isName(path)) at(path, "metrics' names");
    else if (as === "ignored") at(path, "nothing").kinds.add(IGNORED[why] ?? why);
    else if (as === "refused") at(path, "nothing").kinds.add(`refused: ${why}`);
    else if (as !== "reading") at(path, as);
  };
  return {
    read,
    look({ messages, leaves }: SourceItem) {
      for (const { readings } of messages ?? [])
        for (const { path, metric, value, unit } of readings) read(path, metric, value, unit);
      leaves?.forEach(lookAt);
    },
    placesOf: (what: keyof typeof places) => [...places[what]].join("+") || "the mapping",
    /** A place that is read in one row, and has no value in another, is read. */
    seen() {
      const all = [...seen.values()];
      const isRead = new Set(all.filter(({ becomes }) => becomes !== "nothing").map(({ from }) => from));
      const hasReason = ({ from, becomes, kinds }: Seen) =>
        becomes !== "nothing" || !isRead.has(from) || [...kinds].some((kind) => kind.startsWith("refused"));
      return all.filter(hasReason);
    },
  };
}

const MOST_SHOWN = 40;

/** The first rows as a table for a person: what becomes what, what was assumed, and what would be refused and why. */
export function firstRowsTable(source: Source, first: FirstRows): string {
  const devices = [...first.devices];
  const lines: string[][] = [
    ["from", "becomes", "as", "for example"],
    [first.deviceFrom, "device", counted(devices.length, "name"), devices.slice(0, 3).join(", ")],
    [first.timeFrom, "time", "", first.times ? spanOf(first.times) : ""],
  ];
  for (const { from, becomes, kinds, units, example } of first.seen.slice(0, MOST_SHOWN))
    lines.push([from, becomes, [[...kinds].join(" and "), ...units].filter(Boolean).join(", "), example]);
  if (first.seen.length > MOST_SHOWN) lines.push([`and ${first.seen.length - MOST_SHOWN} more`]);

  const notes = [...(source.plan?.found ?? []), ...doubts(source, first)];
  const refused = [...first.refused].map(
    ([reason, { count, example }]) => `  ${reason} (${count}): ${example}${hint(reason, source, example)}\n`,
  );
  return [
    `The first ${counted(first.rows, "row")} would become:\n`,
    table(lines),
    ...notes.map((note) => `  Note: ${note}.\n`),
    ...(first.empty > 0 ? [`  ${counted(first.empty, "row")} without a value: not sent.\n`] : []),
    ...(refused.length > 0 ? ["Of them would be refused:\n", ...refused] : []),
    ...(first.lost.length > 0 ? [`Of these nothing would be taken: ${namesOf(first.lost, first.lost.length)}.\n`] : []),
  ].join("");
}

function spanOf({ first, last }: { first: number; last: number }): string {
  const [from, to] = [first, last].map((time) => new Date(time).toISOString());
  return from === to ? from! : `${from} to ${to}`;
}

/** 1990: what comes before is rather the time since a device's start than a date. */
const EARLIEST_LIKELY = Date.UTC(1990);

function doubts({ plan }: Source, { times, seen }: FirstRows): string[] {
  const read = seen.flatMap(({ becomes, kinds }) => (becomes === "nothing" || kinds.size === 0 ? [] : [kinds]));
  return [
    ...(plan?.doubt ? [plan.doubt] : []),
    ...(times && times.first < EARLIEST_LIKELY
      ? [
          `there are times before 1990 (${new Date(times.first).toISOString()}); if they are not dates, see --time-format`,
        ]
      : []),
    ...(read.length > 0 && read.every((kinds) => kinds.has("text") && kinds.size === 1)
      ? ["there is not one number or boolean; texts are kept as words, not as numbers"]
      : []),
  ];
}

/** The option that would mend it. */
function hint(reason: string, { format, plan }: Source, example: string): string {
  const isCsv = format === "csv";
  const hints: Readonly<Record<string, string>> = {
    notJson: "--format says what the file is",
    unreadable: "--format says what the file is, the mapping's decode what its items are",
    noDevice: "name where it is with --device, or --device-name for all",
    badDevice: "name another place with --device, or one name for all with --device-name",
    noTime: "name where it is with --time",
    badTime:
      plan === null
        ? "name another place with --time"
        : 'say how it is written with --time-format "dd/MM/yyyy HH:mm:ss"',
    futureTime:
      plan === null
        ? "--shift-to-now moves all times"
        : "say the zone with --zone, or move all times with --shift-to-now",
    tooOld: "--shift-to-now moves all times; keep readings for longer (page Retention) for those that weren't removed",
    noReadings: isCsv ? "name the columns with --columns" : "name where they are with --readings",
    badName: isCsv ? 'rename it with --columns "old name=new_name"' : "",
    typeDrift: isCsv
      ? "name words without a value with --missing, or take the column as text (--text), or under another name (--columns)"
      : "",
  };
  if (reason === "badTime" && example.includes("clocks left out")) return " → name the zone they are of with --zone";
  if (reason === "badTime" && example.includes("is before 1970")) return " → set the clock of what wrote them";
  const text = (reason === "badTime" && plan?.doubt) || hints[reason];
  return text ? ` → ${text}` : "";
}
