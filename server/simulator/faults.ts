import type { EpochMs } from "@/server/domain/terms";
import { chance, occurrences } from "./randomness";

const MINUTE = 60_000;

/**
 * What can go wrong. `weight` is how often among all faults; `lasts` its shortest and longest time in milliseconds,
 * null for a fault of a single message. No fault lasts longer than {@link SLOT_MS}.
 */
export const FAULTS = {
  drift: { weight: 3, lasts: [3 * MINUTE, 9 * MINUTE], about: "one sensor's values slide away" },
  stuck: { weight: 3, lasts: [MINUTE, 8 * MINUTE], about: "one sensor repeats its last value" },
  spike: { weight: 4, lasts: null, about: "one value far off" },
  dropout: { weight: 3, lasts: [20_000, 4 * MINUTE], about: "no connection; the backlog follows on reconnect" },
  repeat: { weight: 3, lasts: null, about: "a message sent twice" },
  outOfOrder: { weight: 2, lasts: [10_000, 40_000], about: "messages overtake each other" },
  clockSkew: { weight: 1, lasts: [MINUTE, 5 * MINUTE], about: "the device's clock is off" },
  malformed: { weight: 2, lasts: null, about: "a message that cannot be read, or not wholly" },
} as const satisfies Record<string, { weight: number; lasts: readonly [number, number] | null; about: string }>;

export type FaultKind = keyof typeof FAULTS;

export interface Fault {
  readonly kind: FaultKind;
  readonly start: EpochMs;
  /** Equal to `start` for a fault of a single message. */
  readonly end: EpochMs;
  /** A number in [0, 1) that decides the particulars, such as which sensor and by how much. */
  readonly draw: number;
}

/** Above this rate faults get shorter in proportion, so that a very faulty device is still heard from. */
const FULL_LENGTH_PER_HOUR = 12;

/** Faults are drawn per device and slot of time. */
export const SLOT_MS = 10 * MINUTE;

const KINDS = Object.keys(FAULTS) as FaultKind[];
const TOTAL_WEIGHT = KINDS.reduce((sum, kind) => sum + FAULTS[kind].weight, 0);

/** The faults of one device that start in one slot: the same for the same numbers, whoever asks. */
export function faultsOfSlot(seed: number, device: number, slot: number, perHour: number): readonly Fault[] {
  if (perHour === 0) return [];
  // Some devices are worse than others; over the fleet the mean stays as configured.
  const proneness = 0.25 + 1.5 * chance(seed, device, 901);
  const shortened = Math.min(1, FULL_LENGTH_PER_HOUR / (perHour * proneness));
  const count = occurrences((perHour * proneness * SLOT_MS) / 3_600_000, chance(seed, device, slot, 902));
  const faults: Fault[] = [];
  for (let n = 0; n < count; n++) {
    const kind = kindFor(chance(seed, device, slot, n, 903));
    const start = Math.floor((slot + chance(seed, device, slot, n, 904)) * SLOT_MS);
    const lasts = FAULTS[kind].lasts;
    const length =
      lasts === null ? 0 : shortened * (lasts[0] + (lasts[1] - lasts[0]) * chance(seed, device, slot, n, 905));
    faults.push({ kind, start, end: start + Math.ceil(length), draw: chance(seed, device, slot, n, 906) });
  }
  return faults;
}

function kindFor(draw: number): FaultKind {
  let rest = draw * TOTAL_WEIGHT;
  for (const kind of KINDS) {
    rest -= FAULTS[kind].weight;
    if (rest < 0) return kind;
  }
  return "drift";
}

/** True if the fault touches a message made at `at`, the first one after `previous`. */
export function touches(fault: Fault, previous: EpochMs, at: EpochMs): boolean {
  return fault.start === fault.end ? previous < fault.start && fault.start <= at : fault.start <= at && at < fault.end;
}

/** Ways a message can be broken; each makes the bytes that go out from the good message. */
export const MALFORMED: readonly ((message: { device: string; time: string; readings: object }) => string)[] = [
  (message) => JSON.stringify(message).slice(0, 40),
  (message) => JSON.stringify(message).replace(/:-?\d[\d.]*([,}])/, ":NaN$1"),
  ({ time: _, ...message }) => JSON.stringify(message),
  ({ device: _, ...message }) => JSON.stringify(message),
  (message) => JSON.stringify({ ...message, time: "yesterday, about noon" }),
  (message) => JSON.stringify({ ...message, readings: {} }),
  (message) => JSON.stringify({ ...message, readings: { ...message.readings, "exhaust temp °C": 21 } }),
  (message) => JSON.stringify({ ...message, readings: { ...message.readings, temperature: "sensor error" } }),
  (message) => JSON.stringify({ ...message, readings: { ...message.readings, temperature: { raw: 512 } } }),
  (message) => JSON.stringify(message).replace(/:-?\d[\d.]*([,}])/, ":1e999$1"),
];
