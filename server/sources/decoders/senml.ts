import type { JsonReading } from "@/server/domain/json";
import { checkCount, type Decoder, partAt, readTree, textOf, UnreadableError } from "./decoder";
import { buildTree } from "./tree";

type SenmlRecord = Readonly<Record<string, unknown>>;

/** The version of SenML that is read, and the one assumed (RFC 8428 §4.4). */
const VERSION = 10;

/** Times below this are seconds from now (§4.5.3). */
const RELATIVE_BELOW = 2 ** 28;

/** What a record may measure by, in the order of §4.3. */
const VALUES = ["v", "vb", "vs", "vd"] as const;

/** Base values, which hold from the record that has them on. */
interface Base {
  name: string;
  time: number | null;
  unit: string | null;
  /** In decimal digits, as they were sent. */
  value: string;
  sum: string;
}

/**
 * SenML (RFC 8428) in JSON: each record is resolved by the base values before it, as `{device, time, unit, readings}`. The base name is the device and the rest of
 * the name the metric; without a base name the whole name is the device, and its metric is called `value`. Times are seconds.
 */
export const decodeSenml: Decoder = (delivery) => {
  const { json: pack, tokens } = readTree(textOf(delivery));
  if (!Array.isArray(pack)) throw new UnreadableError("it is no array of SenML records");
  checkCount(pack.length);
  const base: Base = { name: "", time: null, unit: null, value: "0", sum: "0" };
  return pack.flatMap((record: unknown, i) => {
    const read = () => resolve(record, base, delivery.arrived, tokens);
    const part = partAt(String(i), read);
    // A record may hold base values alone.
    return "error" in part || part.value.json !== null ? [part] : [];
  });
};

function resolve(record: unknown, base: Base, arrived: number, tokens: JsonReading["tokens"]): JsonReading {
  if (typeof record !== "object" || record === null || Array.isArray(record))
    throw new UnreadableError("it is no object");
  const own = record as SenmlRecord;
  check(own);
  takeBase(own, base, tokens);
  const local = textIn(own, "n") ?? "";
  const kind = VALUES.find((key) => own[key] !== undefined);
  if (kind === undefined && own.s === undefined && Number(base.sum) === 0) return { json: null, tokens: new Map() };
  const device = base.name === "" ? local : base.name;
  if (device === "") throw new UnreadableError("it has no name (n) and no base name (bn)");
  const metric = (base.name === "" ? "" : local).replace(/^[:/.-]+/, "") || "value";
  const tree = buildTree();
  const readings = tree.branch();
  const add = (name: string, digits: string, before: string) => {
    const sum = Number(digits) + Number(before);
    if (Number.isFinite(sum)) tree.setNumber(readings, name, sumOf(digits, before));
    // The mapping refuses it by its name.
    else tree.set(readings, name, sum);
  };
  if (kind === "v") {
    add(metric, digitsIn(own, "v", tokens)!, base.value);
  } else if (kind !== undefined) tree.set(readings, metric, own[kind]);
  const sum = digitsIn(own, "s", tokens);
  if (sum !== null || Number(base.sum) !== 0) add(`${metric}.sum`, sum ?? "0", base.sum);
  const time = timeOf(own, base, arrived);
  const unit = textIn(own, "u") ?? base.unit;
  const left = Object.entries(own).filter(([key]) => !KNOWN.has(key));
  return tree.done({
    ...{ device: device.replace(/(?<=.)[:/.-]+$/, ""), readings },
    ...(time !== null && { time }),
    ...(unit !== null && { unit }),
    ...(left.length > 0 && { other: Object.fromEntries(left) }),
  });
}

const KNOWN = new Set(["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t"]);

/** Refuses what may not be passed over (§4.4): a later version, and labels that end in "_". */
function check(own: SenmlRecord): void {
  const version = numberIn(own, "bver");
  if (version !== null && version > VERSION) throw new UnreadableError(`SenML of version ${version} isn't known`);
  const must = Object.keys(own).find((key) => key.endsWith("_"));
  if (must !== undefined) throw new UnreadableError(`${JSON.stringify(must)} must be understood and isn't`);
}

function takeBase(own: SenmlRecord, base: Base, tokens: JsonReading["tokens"]): void {
  base.name = textIn(own, "bn") ?? base.name;
  base.time = numberIn(own, "bt") ?? base.time;
  base.unit = textIn(own, "bu") ?? base.unit;
  base.value = digitsIn(own, "bv", tokens) ?? base.value;
  base.sum = digitsIn(own, "bs", tokens) ?? base.sum;
}

/** Null where no time is said at all: then it is that of arrival. */
function timeOf(own: SenmlRecord, base: Base, arrived: number): number | null {
  const time = numberIn(own, "t");
  if (time === null && base.time === null) return null;
  const seconds = (base.time ?? 0) + (time ?? 0);
  // A sum of two doubles of seconds is right to some tenths of a microsecond; finer digits are its error.
  return Math.round((seconds < RELATIVE_BELOW ? arrived / 1000 + seconds : seconds) * 1e6) / 1e6;
}

function numberIn(own: SenmlRecord, key: string): number | null {
  const value = own[key];
  if (value === undefined) return null;
  if (typeof value !== "number") throw new UnreadableError(`${key} is no number`);
  return value;
}

/** A number as its digits, of which a double may hold too few. */
function digitsIn(own: SenmlRecord, key: string, tokens: JsonReading["tokens"]): string | null {
  const value = numberIn(own, key);
  return value === null ? null : (tokens.get(own)?.get(key) ?? String(value));
}

/** The most digits that are added up exactly; no number of a sensor has a tenth of them. */
const MOST_DIGITS = 400;

/** Adds two decimals: 0.1 and 0.2 are 0.3, and no digit of a large integer is lost. */
function sumOf(a: string, b: string): string {
  if (Number(b) === 0) return a;
  const [one, other] = [decimalOf(a), decimalOf(b)];
  const power = Math.min(one.power, other.power);
  const [up, otherUp] = [one.power - power, other.power - power];
  if (Math.max(up, otherUp) > MOST_DIGITS || a.length + b.length > MOST_DIGITS) return String(Number(a) + Number(b));
  const sum = one.digits * 10n ** BigInt(up) + other.digits * 10n ** BigInt(otherUp);
  return power === 0 ? String(sum) : `${sum}e${power}`;
}

function decimalOf(text: string): { readonly digits: bigint; readonly power: number } {
  const [, whole = "0", fraction = "", exponent = "0"] = /^(-?\d+)(?:\.(\d+))?(?:e([-+]?\d+))?$/i.exec(text) ?? [];
  return { digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length };
}

function textIn(own: SenmlRecord, key: string): string | null {
  const value = own[key];
  if (value === undefined) return null;
  if (typeof value !== "string") throw new UnreadableError(`${key} is no text`);
  return value;
}
