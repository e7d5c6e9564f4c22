import type { DevicesAnswer } from "@/server/contracts/devices";
import type { Ledger } from "./ledger";
import { drained } from "./pipeline";
import { recount } from "./recount";
import type { Stage } from "./stage";
import {
  archivedCopies,
  deadLetters,
  deviceConflicts,
  messageKey,
  type StoredSample,
  storedSamples,
  withDatabase,
} from "./stored";

/** The ledger against the stores. */
export interface Verdict {
  /** Acknowledged readings that are stored. */
  readonly stored: number;
  /** Acknowledged readings that are neither stored nor in a dead letter that says why. */
  readonly lost: number;
  /** Readings or messages that count more often than they were made, anywhere. */
  readonly twice: number;
  /** Acknowledged messages that became dead letters, by reason. */
  readonly dead: ReadonlyMap<string, number>;
  /** Their readings. */
  readonly deadReadings: number;
  /** Records in the log that were repeats of a request. */
  readonly repeats: number;
  /** Everything else that isn't as it must be, in words. */
  readonly wrong: readonly string[];
}

/** Waits until the log is drained, then compares every store with what senders were told. */
export async function verify(stage: Stage): Promise<Verdict> {
  const { product, ledger } = stage;
  const { totals, partitions } = await drained(product, ledger.messages);
  const wrong: string[] = [];
  const expect = (what: string, found: number, wanted: number) => {
    if (found !== wanted) wrong.push(`${what}: ${found}, expected ${wanted}`);
  };

  const dead = await deadOf(stage);
  const samples = await withDatabase(stage, storedSamples);
  const { stored, lost, deadReadings, strangers, repeated } = compare(ledger, samples, dead.keys);
  if (strangers.length > 0) wrong.push(`stored, but never acknowledged: ${strangers.slice(0, 3).join(", ")}`);

  const readings = samples.reduce((sum, sample) => sum + sample.readings, 0);
  const rolled = await recount(stage.connectionString());
  expect("readings in the view", rolled.readings, readings);
  expect("minute rollups that differ from a recount", rolled.wrongMinutes, 0);
  expect("hour rollups that differ from a recount", rolled.wrongHours, 0);
  wrong.push(...rolled.faults);

  // Every record of the log is handled once, whoever was killed meanwhile; a request sent again is another record.
  const records = partitions.reduce((sum, { end }) => sum + end, 0);
  const copies = await archivedCopies(stage);
  let archived = 0;
  let archivedReadings = 0;
  for (const count of copies.values()) archived += count;
  for (const [device, times] of ledger.devices) {
    for (const [time, count] of times) archivedReadings += count * (copies.get(messageKey(device, time)) ?? 0);
    const missing = [...times.keys()].filter((time) => {
      const key = messageKey(device, time);
      return !copies.has(key) && !dead.keys.has(key);
    });
    if (missing.length > 0) wrong.push(`${missing.length} messages of ${device} are not in the archive`);
  }
  expect("messages handled, against records in the log", totals.messages, records);
  expect("messages in the archive and dead letters, against records in the log", archived + dead.letters, records);
  expect("readings and duplicates, against the archive", totals.readings + totals.duplicates, archivedReadings);
  // Senders repeat themselves, they don't contradict themselves.
  expect("conflicts", totals.conflicts, 0);
  expect("conflicts of the devices, against the totals", await withDatabase(stage, deviceConflicts), totals.conflicts);
  wrong.push(...(await staleTwins(stage, dead.keys)));

  const twice =
    repeated +
    Math.max(0, totals.readings - readings) +
    Math.max(0, rolled.minuteCounts - readings) +
    Math.max(0, rolled.hourCounts - readings) +
    Math.max(0, totals.messages - records) +
    Math.max(0, archived + dead.letters - records);
  expect("readings in the totals", totals.readings, readings);
  expect("readings in the minute rollups", rolled.minuteCounts, readings);
  expect("readings in the hour rollups", rolled.hourCounts, readings);
  return { stored, lost, twice, dead: dead.reasons, deadReadings, repeats: records - ledger.messages, wrong };
}

/** The acknowledged messages against the samples; `dead` are the keys of those that are dead letters. */
export function compare(ledger: Ledger, samples: readonly StoredSample[], dead: ReadonlySet<string>) {
  const found = new Map(samples.map((sample) => [messageKey(sample.device, sample.time), sample]));
  let stored = 0;
  let lost = 0;
  let deadReadings = 0;
  for (const [device, times] of ledger.devices) {
    for (const [time, count] of times) {
      const key = messageKey(device, time);
      const metrics = found.get(key)?.metrics ?? 0;
      stored += Math.min(metrics, count);
      const missing = Math.max(0, count - metrics);
      if (dead.has(key)) deadReadings += missing;
      else lost += missing;
    }
  }
  const repeated = samples.reduce((sum, { readings, metrics }) => sum + readings - metrics, 0);
  const strangers = samples
    .filter(({ device, time }) => ledger.devices.get(device)?.has(time) !== true)
    .map(({ device, time }) => `${device} at ${new Date(time).toISOString()}`);
  return { stored, lost, deadReadings, repeated, strangers };
}

/** Acknowledged messages among the dead letters. */
async function deadOf(stage: Stage) {
  const reasons = new Map<string, number>();
  const keys = new Set<string>();
  const letters = (await deadLetters(stage)).filter(({ field }) => field === null);
  for (const { reason, raw } of letters) {
    const { device, time } = JSON.parse(raw.toString("utf8")) as { device: string; time: number };
    keys.add(messageKey(device, time));
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return { reasons, keys, letters: letters.length };
}

/** Each device's latest values are those of its newest message. */
async function staleTwins(stage: Stage, dead: ReadonlySet<string>): Promise<string[]> {
  const wrong: string[] = [];
  const shown = new Map<string, DevicesAnswer["items"][number]>();
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: DevicesAnswer = await stage.product.get(
      `/api/v1/devices?limit=500${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const item of page.items) shown.set(item.id, item);
    cursor = page.next;
  }
  for (const { device, time, readings } of stage.ledger.newest.values()) {
    if (dead.has(messageKey(device, time))) continue;
    for (const [metric, value] of Object.entries(readings)) {
      const found = shown.get(device)?.values[metric];
      if (found?.value !== value || Date.parse(found.time) !== time)
        wrong.push(`twin of ${device}: ${metric} is ${JSON.stringify(found)}, expected ${value} at ${time}`);
    }
  }
  return wrong.slice(0, 3);
}
