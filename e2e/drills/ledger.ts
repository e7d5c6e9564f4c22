export type Readings = Readonly<Record<string, number | boolean>>;

/** One message as its sender remembers it. */
export interface SentMessage {
  readonly device: string;
  /** Event time, epoch milliseconds; no two messages of a device have the same. */
  readonly time: number;
  readonly readings: Readings;
}

/** The messages that senders were told are taken: the truth that stores are compared with. */
export interface Ledger {
  /** A message the telemetry route answered with 202. */
  acknowledge(message: SentMessage): void;
  /** A message the route named as rejected. */
  reject(message: SentMessage, reason: string): void;
  /** Acknowledged messages: readings by event time by device. */
  readonly devices: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** The acknowledged message of each device with the latest event time. */
  readonly newest: ReadonlyMap<string, SentMessage>;
  /** Acknowledged, in messages and readings. */
  readonly messages: number;
  readonly readings: number;
  /** Rejected messages by reason. */
  readonly rejected: ReadonlyMap<string, number>;
}

export function createLedger(): Ledger {
  const devices = new Map<string, Map<number, number>>();
  const newest = new Map<string, SentMessage>();
  const rejected = new Map<string, number>();
  let messages = 0;
  let readings = 0;
  return {
    acknowledge(message) {
      const { device, time } = message;
      const times = devices.get(device) ?? new Map<number, number>();
      devices.set(device, times);
      if (times.has(time)) throw new Error(`${device} was given the event time ${time} twice by this drill`);
      const count = Object.keys(message.readings).length;
      times.set(time, count);
      messages++;
      readings += count;
      if (time > (newest.get(device)?.time ?? -Infinity)) newest.set(device, message);
    },
    reject: (_message, reason) => void rejected.set(reason, (rejected.get(reason) ?? 0) + 1),
    devices,
    newest,
    rejected,
    get messages() {
      return messages;
    },
    get readings() {
      return readings;
    },
  };
}
