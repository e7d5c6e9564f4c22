import type { LogRecord } from "@/server/ports/event-log";
import { seeded } from "../waiting";

const HOUR = 3_600_000;
const [DEVICES, MOMENTS] = [20, 30];

/** Messages that become dead letters, or have a field that does, with the reason; each is of a device and a time at which nothing else is. */
const BAD: readonly (readonly [reason: string, value: (device: string, time: number) => string | Buffer])[] = [
  ["notJson", (device, time) => plain(device, time, { temperature: 1 }).slice(0, -1)],
  ["notJson", (device, time) => plain(device, time, { temperature: 1 }).repeat(2)],
  ["notJson", (device, time) => `${plain(device, time, { temperature: 1 })} OK`],
  ["notJson", (device, time) => plain(device, time, { temperature: 1 }).replaceAll('"', "'")],
  ["notJson", (device, time) => `[${plain(device, time, { temperature: 1 })}]`],
  ["notJson", (device, time) => Buffer.from(`{"note":"21 °C",${plain(device, time, { light: 1 }).slice(1)}`, "latin1")],
  ["notJson", () => ""],
  ["tooLarge", (device, time) => JSON.stringify({ device, time, readings: { light: 1 }, note: "x".repeat(65_536) })],
  ["noDevice", (_, time) => JSON.stringify({ time, readings: { temperature: 1 } })],
  ["badDevice", (_, time) => plain("number 5", time, { temperature: 1 })],
  ["badDevice", (_, time) => JSON.stringify({ device: 5, time, readings: { temperature: 1 } })],
  ["noTime", (device) => JSON.stringify({ device, readings: { temperature: 1 } })],
  ["badTime", (device, time) => plain(device, time, { temperature: 1 }).replace("Z", "")],
  ["badTime", (device) => JSON.stringify({ device, time: "2026-08-32T10:00:00Z", readings: { temperature: 1 } })],
  ["badTime", (device) => JSON.stringify({ device, time: -1, readings: { temperature: 1 } })],
  ["futureTime", (device) => plain(device, Date.now() + 24 * HOUR, { temperature: 1 })],
  ["noReadings", (device, time) => JSON.stringify({ device, time, temperature: 1 })],
  ["noReadings", (device, time) => JSON.stringify({ device, time, readings: [1, 2] })],
  ["noReadings", (device, time) => plain(device, time, {})],
  [
    "tooManyReadings",
    (device, time) => plain(device, time, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, i]))),
  ],
  ["badValue", (device, time) => plain(device, time, { temperature: { celsius: 1 }, humidity: 51.5 })],
  ["badName", (device, time) => plain(device, time, { "relative humidity": 1, humidity: 51.25 })],
  ["notFinite", (device, time) => plain(device, time, { co: 0.5, smoke: 0 }).replace('"smoke":0', '"smoke":NaN')],
  ["notFinite", (device, time) => plain(device, time, { co: 0.25, smoke: 0 }).replace('"smoke":0', '"smoke":-1e999')],
  ["typeDrift", (device, time) => plain(device, time, { temperature: "21.5", humidity: 52 })],
];

/** How senders write the same message: what is in it, and its time, is the same. */
const SHAPES: readonly ((device: string, time: number, readings: Record<string, unknown>) => string)[] = [
  plain,
  // Python's isoformat, in a zone of its own and finer than is kept.
  (device, time, readings) => {
    const local = new Date(time + 2 * HOUR).toISOString().replace("Z", "417+02:00");
    return JSON.stringify({ device, time: local, readings }, null, 1);
  },
  (device, time, readings) => {
    const [light, motion] = [Number(readings.light), Number(readings.motion)];
    return JSON.stringify({ time: time / 1000, device, readings: { ...readings, light, motion, fault: null } });
  },
  (device, time, readings) =>
    JSON.stringify({
      readings: { ...readings, firmware: "1.4.2" },
      type: "press",
      id: `${device} ${time}`,
      time,
      device,
    }),
];

/** What was sent. */
export interface MonthSent {
  messages: number;
  /** Readings of moments that had some before, most of them the same. */
  again: number;
  /** Dead letters by reason. */
  readonly letters: Record<string, number>;
}

/**
 * Sends the messages of 20 devices over `hours` from `began`, one every two minutes each: numbers of any digits and booleans, in the shapes senders have. Some
 * come days late, some twice or in another shape, some with other values, and some are bad.
 */
export async function sendMonth(
  began: number,
  hours: number,
  send: (records: LogRecord[]) => Promise<void>,
): Promise<MonthSent> {
  const random = seeded(1);
  const sent: MonthSent = { messages: 0, again: 0, letters: {} };
  const late: LogRecord[] = [];
  const append = async (records: LogRecord[]) => {
    sent.messages += records.length;
    await send(records);
  };
  for (let hour = 0; hour < hours; hour++) {
    const records: LogRecord[] = [];
    for (let i = 0; i < MOMENTS * DEVICES; i++) {
      const device = `spark-${(i % DEVICES) + 1}`;
      const moment = Math.floor(i / DEVICES);
      // Two moments of a device may be in one minute, and none in another; no two are the same, nor that of a bad message.
      const time = began + hour * HOUR + moment * (HOUR / MOMENTS) + Math.floor(random() * 60_000) * 3 + (moment % 2);
      const of = (shape: number, readings: Record<string, unknown>) =>
        record(device, SHAPES[shape]!(device, time, readings));
      const readings = drawn(random);
      const [shape, fate] = [i % SHAPES.length, random()];
      const first = of(shape, readings);
      (fate < 0.02 ? late : records).push(first);
      if (fate > 0.95) late.push(first);
      else if (fate > 0.9) late.push(of((shape + 1) % SHAPES.length, readings));
      else if (fate > 0.89) late.push(of(shape, drawn(random)));
      if (fate > 0.89) sent.again += Object.keys(readings).length;
    }
    const [reason, value] = BAD[hour % BAD.length]!;
    const device = `spark-${(hour % DEVICES) + 1}`;
    records.push(record(device, value(device, began + hour * HOUR + 2)));
    sent.letters[reason] = (sent.letters[reason] ?? 0) + 1;
    await append(records);
  }
  for (let at = 0; at < late.length; at += 2000) await append(late.slice(at, at + 2000));
  return sent;
}

/** Readings as sensors write them: rounded, with all digits of a double, tiny, larger than is exact, negative. */
function drawn(random: () => number): Record<string, unknown> {
  return {
    temperature: Math.round(random() * 4000) / 100,
    humidity: (random() * 100) / 3,
    co: random() * 1e-6,
    lpg: Math.round(random() * 2 ** 60),
    smoke: Math.round(random() * 2000) / 1000 - 1,
    light: random() < 0.5,
    motion: random() < 0.1,
  };
}

function plain(device: string, time: number, readings: Record<string, unknown>): string {
  return JSON.stringify({ device, time: new Date(time).toISOString(), readings });
}

function record(device: string, value: string | Buffer): LogRecord {
  return { key: device, value: Buffer.from(value) };
}
