import type { DeadLetterReason } from "@/server/domain/reasons";

/** A generated message and what has to become of it. */
export interface HostileMessage {
  readonly kind: string;
  readonly bytes: Buffer;
  /** True if it can stand in a JSON array. */
  readonly isJson: boolean;
  /** The reason why it is refused as a whole; REST tells its sender, a record in the log becomes a dead letter. */
  readonly refused?: DeadLetterReason;
  readonly readings: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Fields that become dead letters of their own. */
  readonly fields: readonly DeadLetterReason[];
}

/** Gives messages their device and a time nobody else has. */
interface Context {
  readonly random: () => number;
  readonly device: string;
  readonly time: string;
  readonly millis: number;
}

type Made = Omit<HostileMessage, "kind" | "bytes" | "isJson"> & {
  readonly text: string | Buffer;
  readonly isJson?: boolean;
};

const NOTHING = { readings: 0, duplicates: 0, conflicts: 0, fields: [] as readonly DeadLetterReason[] };
const BASE_MS = Date.UTC(2026, 0, 1);
/** The readings of the warm-up message, which make their names metrics. */
export const WARM_READINGS = { temperature: 20, humidity: 50, huge: 1, tiny: 1, motion: true };
export const DEVICES: readonly string[] = Array.from({ length: 24 }, (_, i) => `hostile-${String(i).padStart(2, "0")}`);
export const WARM_TIME = "2025-12-01T00:00:00.000Z";

const refused = (reason: DeadLetterReason, text: string | Buffer, isJson = true): Made => ({
  ...NOTHING,
  refused: reason,
  text,
  isJson,
});
const good = (text: string, readings: number, fields: readonly DeadLetterReason[] = [], stored = NOTHING): Made => ({
  ...stored,
  text,
  readings,
  fields,
});
const message = ({ device, time }: Context, readings: string, more = "") =>
  `{"device":"${device}","time":"${time}","readings":${readings}${more}}`;
const pick = <T>({ random }: Context, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
const entries = (count: number) => Array.from({ length: count }, (_, i) => `"m${i}":${i}`).join(",");
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** Kinds of messages with the share they have. */
const KINDS: Readonly<Record<string, { share: number; make: (context: Context) => Made }>> = {
  plain: { share: 20, make: (c) => good(message(c, '{"temperature":21.5,"humidity":40}'), 2) },
  unknownFields: {
    share: 6,
    make: (c) =>
      good(
        message(
          c,
          '{"temperature":1}',
          ',"firmware":{"v":[1,2,{"x":null}]},"constructor":1,"toString":2,"hasOwnProperty":false',
        ),
        1,
      ),
  },
  prototype: {
    share: 5,
    make: (c) => good(message(c, '{"temperature":2}', ',"__proto__":{"device":"polluted","readings":{"x":1}}'), 1),
  },
  prototypeMetric: {
    share: 4,
    make: (c) => good(message(c, '{"temperature":3,"__proto__":4,"constructor":5}'), 1, ["badName", "badName"]),
  },
  badNames: {
    share: 4,
    make: (c) =>
      good(message(c, `{"humidity":3,"a b":1,"":2,"${"x".repeat(129)}":3,"\\u0000":4}`), 1, [
        "badName",
        "badName",
        "badName",
        "badName",
      ]),
  },
  wrongTypes: {
    share: 5,
    make: (c) => good(message(c, '{"temperature":4,"list":[1],"map":{"a":1}}'), 1, ["badValue", "badValue"]),
  },
  onlyBadFields: { share: 2, make: (c) => good(message(c, '{"list":[]}'), 0, ["badValue"]) },
  drift: {
    share: 5,
    make: (c) => good(message(c, '{"temperature":"warm","humidity":6,"motion":1}'), 2, ["typeDrift"]),
  },
  texts: {
    share: 4,
    make: (c) =>
      good(message(c, '{"temperature":5,"note":"nul \\u0000, half \\ud800, quote \\" and \\\\","emoji":"🛰"}'), 1),
  },
  notFinite: {
    share: 5,
    make: (c) => good(message(c, '{"temperature":1e400,"humidity":-1e999,"tiny":7}'), 1, ["notFinite", "notFinite"]),
  },
  huge: {
    share: 4,
    make: (c) =>
      good(
        message(
          c,
          `{"huge":${pick(c, ["1.7976931348623157e308", "-1.7e308", "123456789012345678901234567890", "1e308"])},"tiny":${pick(c, ["5e-324", "-0", "0.1e-300"])}}`,
        ),
        2,
      ),
  },
  nulls: { share: 2, make: (c) => good(message(c, '{"temperature":null,"humidity":1}'), 1) },
  ancient: {
    share: 3,
    make: (c) =>
      good(
        message(
          { ...c, time: new Date(c.millis - 86_400_000 * Math.floor(c.random() * 20_000)).toISOString() },
          '{"temperature":8}',
        ),
        1,
      ),
  },
  repeat: {
    share: 4,
    make: (c) =>
      good(message({ ...c, time: WARM_TIME }, '{"temperature":20,"humidity":50}'), 0, [], {
        ...NOTHING,
        duplicates: 2,
      }),
  },
  conflict: {
    share: 3,
    make: (c) =>
      good(message({ ...c, time: WARM_TIME }, '{"temperature":99,"humidity":50,"motion":1}'), 0, [], {
        ...NOTHING,
        duplicates: 2,
        conflicts: 1,
      }),
  },
  nanText: {
    share: 4,
    make: (c) =>
      good(message(c, `{"temperature":${pick(c, ["NaN", "nan", "Infinity", "-Infinity", "-inf"])},"humidity":40}`), 1, [
        "notFinite",
      ]),
  },
  noNumber: {
    share: 2,
    make: (c) => refused("notJson", message(c, `{"temperature":${pick(c, ["0x10", "01", "+1", ".5", "Na"])}}`), false),
  },
  cutOff: {
    share: 4,
    make: (c) => refused("notJson", message(c, '{"temperature":1}').slice(0, 5 + Math.floor(c.random() * 40)), false),
  },
  brokenUtf8: {
    share: 4,
    make: (c) =>
      refused(
        "notJson",
        Buffer.concat([
          Buffer.from(`{"device":"${c.device}`),
          Buffer.from([0xc3, 0x28, 0xff, 0xfe]),
          Buffer.from('"}'),
        ]),
        false,
      ),
  },
  binary: {
    share: 3,
    make: (c) =>
      refused("notJson", Buffer.from(Array.from({ length: 48 }, () => 128 + Math.floor(c.random() * 128))), false),
  },
  notAnObject: {
    share: 3,
    make: (c) => refused("notJson", pick(c, ["null", "5", "true", '"text"', "[]", '[{"device":"x"}]'])),
  },
  deep: {
    share: 3,
    make: (c) => refused("tooDeep", message(c, '{"temperature":1}', `,"x":${nested(pick(c, [17, 500, 20_000]))}`)),
  },
  deepReadings: {
    share: 2,
    make: (c) => refused("tooDeep", message(c, `{"temperature":${'{"a":'.repeat(400)}1${"}".repeat(400)}}`)),
  },
  noDevice: {
    share: 3,
    make: (c) => refused("noDevice", pick(c, ["{}", '{"device":null}', '{"device":"","time":1}', '{"DEVICE":"a"}'])),
  },
  badDevice: {
    share: 4,
    make: (c) =>
      refused(
        "badDevice",
        `{"device":${pick(c, ['"a b"', '"__proto__"', '"constructor"', `"${"d".repeat(129)}"`, "5", "{}", '"\\u0000"', '"../../etc"', "false"])},"time":"${c.time}","readings":{"temperature":1}}`,
      ),
  },
  noTime: { share: 3, make: (c) => refused("noTime", `{"device":"${c.device}","readings":{"temperature":1}}`) },
  badTime: {
    share: 5,
    make: (c) =>
      refused(
        "badTime",
        message({ ...c, time: "" }, '{"temperature":1}').replace(
          '"time":""',
          `"time":${pick(c, ['"yesterday"', '"2026-01-01T00:00:00"', '"2026-02-31T00:00:00Z"', "-1", "1e300", "1e400", "true", "[]", '"1026-01-01T00:00:00Z"', '"2026-01-01T24:00:00Z"'])}`,
        ),
      ),
  },
  futureTime: {
    share: 3,
    make: (c) => refused("futureTime", message({ ...c, time: "9998-01-01T00:00:00Z" }, '{"temperature":1}')),
  },
  noReadings: {
    share: 4,
    make: (c) => refused("noReadings", message(c, pick(c, ["{}", "[]", "null", '"x"', "5", '{"temperature":null}']))),
  },
  tooMany: { share: 3, make: (c) => refused("tooManyReadings", message(c, `{${entries(pick(c, [65, 1000]))}}`)) },
  large: {
    share: 1,
    make: (c) => refused("tooLarge", message(c, '{"temperature":1}', `,"pad":"${"p".repeat(66_000)}"`)),
  },
};

const TOTAL = Object.values(KINDS).reduce((sum, { share }) => sum + share, 0);

/** The `index`-th message; every thousandth or so has a megabyte. */
export function hostileMessage(index: number, random: () => number): HostileMessage {
  const millis = BASE_MS + index;
  const context = { random, millis, device: DEVICES[index % DEVICES.length]!, time: new Date(millis).toISOString() };
  const [kind, made] = random() < 0.0005 ? (["megabyte", megabyte(context)] as const) : draw(context);
  const { text, isJson = true, ...rest } = made;
  return { kind, bytes: typeof text === "string" ? Buffer.from(text) : text, isJson, ...rest };
}

function megabyte(context: Context): Made {
  return refused("tooLarge", message(context, '{"temperature":1}', `,"pad":"${"p".repeat(1_000_000)}"`));
}

function draw(context: Context): readonly [string, Made] {
  let at = context.random() * TOTAL;
  for (const [kind, { share, make }] of Object.entries(KINDS)) {
    at -= share;
    if (at < 0) return [kind, make(context)];
  }
  return ["plain", KINDS.plain!.make(context)];
}
