import { metricsAnswer } from "@/server/contracts/metrics";
import { counted } from "@/server/domain/counted";
import { judgeFields } from "@/server/domain/fields";
import { decodeJson, type DecodeBounds, type DecodedMessage, decodeMessage, readingsOf } from "@/server/domain/message";
import type { DeadLetterReason } from "@/server/domain/reasons";
import { type BatchOptions, messageOf } from "./batches";
import { FIRST_ROWS } from "./csv-layout";
import type { Authorization } from "@/server/delivery/authorization";
import { askRoute } from "./outcome";
import { table } from "./report";
import type { Source } from "./source";

interface MetricSeen {
  readonly kinds: Set<string>;
  example: string;
}

/** The outcome of a recording's first rows, found before anything is sent. */
export interface FirstRows {
  readonly rows: number;
  /** Rows without a value; nothing is sent for them. */
  readonly empty: number;
  /** Rows of which at least one value could be read. */
  readonly readable: number;
  readonly devices: ReadonlySet<string>;
  readonly times: { readonly first: number; readonly last: number } | null;
  readonly metrics: ReadonlyMap<string, MetricSeen>;
  /** Messages and fields that would be refused. */
  readonly refused: ReadonlyMap<DeadLetterReason, { count: number; readonly example: string }>;
}

/** Reads the first rows and judges them by the rules that the worker judges them by. */
export async function readFirstRows(
  source: Source,
  options: BatchOptions,
  bounds: DecodeBounds,
  metricsRoute: URL,
  authorization: Authorization,
): Promise<FirstRows> {
  const messages: { readonly number: number; readonly message: DecodedMessage }[] = [];
  const refused = new Map<DeadLetterReason, { count: number; example: string }>();
  const refuse = (number: number, reason: DeadLetterReason, detail: string) => {
    const before = refused.get(reason);
    if (before) before.count++;
    else refused.set(reason, { count: 1, example: `row ${number}: ${detail}`.slice(0, 200) });
  };
  let rows = 0;
  let empty = 0;
  for await (const item of source.items({ number: 0, bytes: 0 })) {
    if (rows++ === FIRST_ROWS) break;
    if (item.text === null) {
      if (item.length === 0) empty++;
      else refuse(item.number, "tooLarge", `${item.length} bytes`);
      continue;
    }
    const reading = messageOf(item, source, options);
    const outcome = reading === undefined ? decodeMessage(item.text, bounds) : decodeJson(reading, bounds);
    if (outcome.ok) messages.push({ number: item.number, message: outcome.message });
    else refuse(item.number, outcome.reason, outcome.detail);
  }

  const there = await askRoute(metricsRoute, metricsAnswer, authorization);
  const known = new Set(there === null || there === "unknown" ? [] : there.items.map(({ name }) => name));
  for (const { message } of messages) for (const name of message.shape.names) known.add(name);
  const metrics = new Map<string, MetricSeen>();
  let readable = 0;
  for (const { number, message } of messages) {
    const judged = judgeFields(message, (name) => known.has(name));
    if (judged.values.length + judged.texts.length > 0) readable++;
    for (const [name, value] of [...readingsOf(judged), ...judged.texts]) {
      const seen = metrics.get(name) ?? { kinds: new Set<string>(), example: String(value).slice(0, 40) };
      seen.kinds.add(typeof value === "string" ? "text" : typeof value);
      metrics.set(name, seen);
    }
    for (const { reason, detail } of judged.refused) refuse(number, reason, detail);
  }
  const times = messages.map(({ message }) => message.eventTime);
  return {
    rows: Math.min(rows, FIRST_ROWS),
    empty,
    readable,
    devices: new Set(messages.map(({ message }) => message.device)),
    times: times.length > 0 ? { first: Math.min(...times), last: Math.max(...times) } : null,
    metrics,
    refused,
  };
}

const MOST_SHOWN = 40;

/** The first rows as a table for a person: what becomes what, what was assumed, and what would be refused and why. */
export function firstRowsTable(source: Source, options: BatchOptions, first: FirstRows): string {
  const { plan } = source;
  const nameOf = (index: number) => plan?.layout.header[index] ?? "";
  const deviceFrom =
    options.deviceName !== null
      ? "--device-name"
      : plan && typeof plan.device === "number"
        ? nameOf(plan.device)
        : options.mapping.device;
  const timeFrom = plan ? plan.time.indexes.map(nameOf).join("+") : options.mapping.time;
  const devices = [...first.devices];
  const lines: string[][] = [
    ["from", "becomes", "as", "for example"],
    [deviceFrom, "device", counted(devices.length, "name"), devices.slice(0, 3).join(", ")],
    [timeFrom, "time", plan?.time.reading.how ?? "", first.times ? spanOf(first.times) : ""],
    ...(plan?.labels.map(([label]) => [label, label, "label", ""]) ?? []),
  ];
  const planned = plan?.metrics.map(({ column, metric, unit, why }) => ({ column, metric, unit, why }));
  const metrics =
    planned ?? [...first.metrics.keys()].map((metric) => ({ column: metric, metric, unit: null, why: null }));
  for (const { column, metric, unit, why } of metrics.slice(0, MOST_SHOWN)) {
    const seen = first.metrics.get(metric);
    const kind = seen ? [...seen.kinds].join(" and ") : "nothing";
    lines.push([column, metric, [kind, unit, why].filter(Boolean).join(", "), seen?.example ?? ""]);
  }
  if (metrics.length > MOST_SHOWN) lines.push([`and ${metrics.length - MOST_SHOWN} more`]);

  const notes = [...(plan?.found ?? []), ...doubts(source, first)];
  if (plan?.metrics.some(({ unit }) => unit !== null))
    notes.push("the units of headers and values are said of these devices in the catalog, where nobody has said one");
  const refused = [...first.refused].map(
    ([reason, { count, example }]) => `  ${reason} (${count}): ${example}${hint(reason, source)}\n`,
  );
  return [
    `The first ${counted(first.rows, "row")} would become:\n`,
    table(lines),
    ...notes.map((note) => `  Note: ${note}.\n`),
    ...(first.empty > 0 ? [`  ${counted(first.empty, "row")} without a value: not sent.\n`] : []),
    ...(refused.length > 0 ? ["Of them would be refused:\n", ...refused] : []),
  ].join("");
}

function spanOf({ first, last }: { first: number; last: number }): string {
  const [from, to] = [first, last].map((time) => new Date(time).toISOString());
  return from === to ? from! : `${from} to ${to}`;
}

/** 1990: what comes before is rather the time since a device's start than a date. */
const EARLIEST_LIKELY = Date.UTC(1990);

function doubts({ plan }: Source, { times, metrics }: FirstRows): string[] {
  return [
    ...(plan?.time.reading.doubt ? [plan.time.reading.doubt] : []),
    ...(times && times.first < EARLIEST_LIKELY
      ? [
          `there are times before 1990 (${new Date(times.first).toISOString()}); if they are not dates, see --time-format`,
        ]
      : []),
    ...(metrics.size > 0 && [...metrics.values()].every(({ kinds }) => kinds.has("text") && kinds.size === 1)
      ? ["there is not one number or boolean; texts are kept, but have no history"]
      : []),
  ];
}

/** The option that would mend it. */
function hint(reason: DeadLetterReason, { format, plan }: Source): string {
  const isCsv = format === "csv";
  const hints: Partial<Record<DeadLetterReason, string>> = {
    notJson: "--format says what the file is",
    noDevice: "name where it is with --device, or --device-name for all",
    badDevice: "name another place with --device, or one name for all with --device-name",
    noTime: "name where it is with --time",
    badTime: isCsv
      ? 'say how it is written with --time-format "dd/MM/yyyy HH:mm:ss"'
      : "name another place with --time",
    futureTime: isCsv
      ? "say the zone with --zone, or move all times with --shift-to-now"
      : "--shift-to-now moves all times",
    tooOld: "--shift-to-now moves all times; keep readings for longer (page Retention) for those that weren't removed",
    noReadings: isCsv ? "name the columns with --columns" : "name where they are with --readings",
    tooManyReadings: isCsv ? "take fewer with --columns a,b" : "",
    badName: isCsv ? 'rename it with --columns "old name=new_name"' : "",
    typeDrift: isCsv ? "name words without a value with --missing, or the column with --text" : "",
  };
  const text = (reason === "badTime" && plan?.time.reading.doubt) || hints[reason];
  return text ? ` → ${text}` : "";
}
