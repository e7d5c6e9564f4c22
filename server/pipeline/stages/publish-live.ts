import type { LiveDevice, LiveRecord } from "@/server/contracts/live";
import { readMark } from "@/server/domain/resend-mark";
import { isStateOnly } from "@/server/domain/message";
import type { EpochMs } from "@/server/domain/terms";
import { TOPICS } from "@/server/domain/terms";
import type { EventLog, LogRecord } from "@/server/ports/event-log";
import type { Committed } from "../batch";
import type { Timings } from "../timings";

/** The least time between frames, in milliseconds; web makes at most five a second of them. The first after a rest doesn't wait. */
const FRAME_MS = 100;
/** The same after a frame that had no room for all: a backlog is caught up with faster than anybody watches. */
const FULL_FRAME_MS = 500;
/** The most points kept per metric of a device in a frame: the newest. */
const POINTS_A_METRIC = 50;
/** The most points and strings in a frame; anything beyond is left out, and the frame says so. */
const POINTS_A_FRAME = 10_000;
/** The largest record, in bytes; a larger frame is sent as several. */
const RECORD_BYTES = 256 * 1024;
/** The time for which what was left out last is kept, in milliseconds; a browser that begins to watch has loaded all by then. */
const LEFT_OUT_MS = 2000;
/** The longest string in a frame; a longer one is left to the twin. */
const TEXT_LENGTH = 512;

export interface PublishLiveDeps {
  readonly eventLog: Pick<EventLog, "append">;
  /** Names this worker in its records. */
  readonly worker: string;
  readonly timings: Timings;
}

export interface PublishLive {
  /** Takes committed readings into the next frame. Never throws, never waits. */
  add(committed: Committed, metricName: (id: number) => string | undefined): void;
  /** Leaves out what nobody watched. It is kept for a moment: who begins to watch just then may have loaded what was before it. */
  leaveOut(committed: readonly Committed[]): void;
  /** Resolves once the frame being gathered now was sent (true) or could not be (false). */
  sent(): Promise<boolean>;
  /** Stops sending; resolves when the record under way has arrived or failed. */
  stop(): Promise<void>;
}

interface Pending {
  lastSeen: EpochMs;
  messages: number;
  more: boolean;
  gone?: true;
  readonly points: Map<string, [time: EpochMs, value: number][]>;
  readonly texts: Map<string, readonly [time: EpochMs, text: string]>;
}

/** Sends committed readings to the web processes, conflated per device, at most once: a frame that can't be sent is lost. */
export function createPublishLive({ eventLog, worker, timings }: PublishLiveDeps): PublishLive {
  let pending = new Map<string, Pending>();
  let room = POINTS_A_FRAME;
  let seq = 0;
  /** Time at which the first pending reading was committed. */
  let pendingSince = 0;
  let timer: NodeJS.Timeout | null = null;
  let nextAt = -Infinity;
  let sending: Promise<void> | null = null;
  let stopped = false;
  let leftOut: { readonly committed: readonly Committed[]; readonly at: number } | null = null;
  /** Callbacks of those who wait for the frame being gathered. */
  let asked: ((isSent: boolean) => void)[] = [];

  function add(committed: Committed, metricName: (id: number) => string | undefined): void {
    if (leftOut && performance.now() - leftOut.at < LEFT_OUT_MS)
      for (const before of leftOut.committed) take(before, metricName);
    leftOut = null;
    take(committed, metricName);
  }

  function take({ messages, added }: Committed, metricName: (id: number) => string | undefined): void {
    if (stopped || messages.length === 0) return;
    if (pending.size === 0) pendingSince = performance.now();
    const names = new Map<number, string>();
    for (const { deviceId, record, message, texts } of messages) {
      if (message.gone !== undefined) deviceOf(message.device).gone = true;
      if (isStateOnly(message)) continue;
      names.set(deviceId, message.device);
      const device = deviceOf(message.device);
      device.messages++;
      // A dead letter sent again doesn't tell that its device is there.
      if (readMark(record.headers) === null) device.lastSeen = Math.max(device.lastSeen, record.ingestTime);
      for (const [field, text] of texts) addText(device, field, message.eventTime, text);
    }
    if (room <= 0) {
      for (const name of names.values()) deviceOf(name).more = true;
      return arm();
    }
    // Newest first: once a metric has its points, all that remain of it are left out at a glance.
    for (let at = added.length - 1; at >= 0; at--) {
      const { deviceId, time, metrics, values } = added[at]!;
      const device = deviceOf(names.get(deviceId)!);
      for (let i = 0; i < metrics.length; i++) {
        const metric = metricName(metrics[i]!);
        if (metric !== undefined) addPoint(device, metric, time, values[i]!);
      }
    }
    arm();
  }

  /** Schedules the next frame. While a record is under way the frame gathers: a slow log makes fewer frames, not more. */
  function arm(): void {
    if (!sending && !stopped && pending.size > 0) timer ??= setTimeout(send, Math.max(0, nextAt - performance.now()));
  }

  function deviceOf(name: string): Pending {
    let device = pending.get(name);
    if (!device) {
      device = { lastSeen: 0, messages: 0, more: false, points: new Map(), texts: new Map() };
      pending.set(name, device);
    }
    return device;
  }

  function addPoint(device: Pending, metric: string, time: EpochMs, value: number): void {
    let points = device.points.get(metric);
    if (!points) device.points.set(metric, (points = []));
    if (points.length >= POINTS_A_METRIC) {
      device.more = true;
      // The oldest makes room. A point older than all that are kept is itself left out.
      if (time < points[0]![0]) return;
      points.shift();
    } else if (room-- <= 0) {
      device.more = true;
      return;
    }
    if (points.length === 0 || time > points.at(-1)![0]) points.push([time, value]);
    else points.splice(placeOf(points, time), 0, [time, value]);
  }

  function addText(device: Pending, field: string, time: EpochMs, text: string): void {
    const before = device.texts.get(field);
    if (before && before[0] >= time) return;
    if (text.length > TEXT_LENGTH || (!before && room-- <= 0)) {
      device.more = true;
      return;
    }
    device.texts.set(field, [time, text]);
  }

  function send(): void {
    timer = null;
    nextAt = performance.now() + (room > 0 ? FRAME_MS : FULL_FRAME_MS);
    const devices = pending;
    const since = pendingSince;
    const tell = asked;
    asked = [];
    pending = new Map();
    room = POINTS_A_FRAME;
    const records = recordsOf(devices, () => ({ worker, seq: ++seq, at: Date.now() }));
    sending = eventLog
      .append(TOPICS.live, records)
      .then(() => {
        timings.add("publish", { ms: performance.now() - since, ...sizeOf(devices, records) });
        tell.forEach((told) => told(true));
      })
      // Best effort: browsers load again when a number is missing, and the next batch reports a log that is away.
      .catch(() => tell.forEach((told) => told(false)))
      .then(() => {
        sending = null;
        arm();
      });
  }

  return {
    add,
    leaveOut: (committed) => void (leftOut = { committed, at: performance.now() }),
    sent: () => (pending.size === 0 ? Promise.resolve(false) : new Promise((told) => asked.push(told))),
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      timer = null;
      pending.clear();
      asked.forEach((told) => told(false));
      await sending;
    },
  };
}

function sizeOf(devices: ReadonlyMap<string, Pending>, records: readonly LogRecord[]) {
  let messages = 0;
  for (const device of devices.values()) messages += device.messages;
  return { messages, bytes: records.reduce((sum, { value }) => sum + value.byteLength, 0) };
}

/** Finds the index at which a point of `time` belongs; points ascend. */
function placeOf(points: readonly (readonly [EpochMs, number])[], time: EpochMs): number {
  let i = points.length;
  while (i > 0 && points[i - 1]![0] > time) i--;
  return i;
}

function recordsOf(devices: ReadonlyMap<string, Pending>, nextHead: () => Omit<LiveRecord, "devices">): LogRecord[] {
  const records: LogRecord[] = [];
  let texts: string[] = [];
  let bytes = 0;
  const close = () => {
    const head = JSON.stringify({ ...nextHead(), devices: [] } satisfies LiveRecord);
    records.push({ key: null, value: Buffer.from(`${head.slice(0, -2)}${texts.join(",")}]}`) });
    texts = [];
    bytes = 0;
  };
  for (const [id, { lastSeen, messages, more, gone, points, texts: strings }] of devices) {
    const device: LiveDevice = {
      id,
      lastSeen,
      messages,
      points: Object.fromEntries(points),
      texts: Object.fromEntries(strings),
      more,
      ...(gone && { gone }),
    };
    const text = JSON.stringify(device);
    if (bytes > 0 && bytes + text.length > RECORD_BYTES) close();
    texts.push(text);
    bytes += text.length;
  }
  if (texts.length > 0) close();
  return records;
}
