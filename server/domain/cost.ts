/** What takes room: readings and their rollups, archived messages, dead letters, the embedded log, and readings in cold storage. */
export const STORES = ["raw", "minutes", "hours", "messages", "deadLetters", "log", "cold"] as const;
export type Store = (typeof STORES)[number];

/** How long things are kept. */
export interface Plan {
  /** Days that a store keeps what came; null: for ever; a store that isn't there is left out. */
  readonly days: Readonly<Partial<Record<Store, number | null>>>;
  /** Days of event time after which readings leave PostgreSQL for cold storage; null: never. */
  readonly coldAfterDays: number | null;
}

/** What an installation takes and gets, measured on it. */
export interface Measured {
  /** By store, indexes included. */
  readonly bytes: Readonly<Partial<Record<Store, number>>>;
  /** Of these, what holds nothing and is taken again before the store grows. */
  readonly free: Readonly<Partial<Record<Store, number>>>;
  /** Of these, what it takes with hardly anything in it; all of it, if there is nothing. */
  readonly empty: Readonly<Partial<Record<Store, number>>>;
  /** Handled since the first. */
  readonly messages: number;
  readonly readings: number;
  /** How many come now; null: too early to tell. */
  readonly messagesPerDay: number | null;
  readonly plan: Plan;
}

/** What one provider takes for a month, in the currency of its table. */
export interface Prices {
  readonly provider: string;
  /** Of one virtual processor. */
  readonly vcpu: number;
  /** Of a GiB of memory. */
  readonly memoryGiB: number;
  /** Of a GiB on a disk for PostgreSQL. */
  readonly diskGiB: number;
  /** Of a GiB in object storage. */
  readonly objectGiB: number;
  /** The part of the price of processors and memory that is saved by machines which the provider may take back; 0 to 1. */
  readonly spotDiscount: number;
}

/** The machine it runs on, or could. */
export interface Machine {
  readonly vcpus: number;
  readonly memoryGiB: number;
}

export type Bytes = ReadonlyMap<Store, number>;

const GIB = 1024 ** 3;
/** A disk keeps free room: PostgreSQL vacuums, merges and sorts on it. */
const HEADROOM = 1.3;
/** Bytes of a reading in a Parquet file, where none was measured yet (docs/cold-readings.md). */
const COLD_BYTES = 3.5;
const DAY_MS = 86_400_000;
/** Fewer minutes say nothing about a day. */
const LEAST_OBSERVED_MS = 600_000;

/** How many messages' worth a store holds so many days from now, when as many come as do now. */
function held({ messages, messagesPerDay }: Measured, plan: Plan, store: Store, inDays: number): number {
  const perDay = messagesPerDay ?? 0;
  const within = (days: number | null) => {
    const all = messages + perDay * inDays;
    // While nothing comes nobody knows how old what is there is.
    return days === null || perDay === 0 ? all : Math.min(all, perDay * days);
  };
  const { coldAfterDays, days } = plan;
  const raw = within(days.raw ?? null);
  if (store === "cold") return coldAfterDays === null ? 0 : Math.max(0, raw - within(coldAfterDays));
  if (store === "raw" && coldAfterDays !== null) return Math.min(raw, within(coldAfterDays));
  return within(days[store] ?? null);
}

/**
 * Messages that came in a day, as they came in the time observed.
 * @param recent those of the last 24 hours. @param observedMs since the first of all; null: nobody knows.
 * @returns null while too little time was observed.
 */
export function perDay(recent: number, observedMs: number | null): number | null {
  const observed = Math.min(DAY_MS, observedMs ?? DAY_MS);
  return observed < LEAST_OBSERVED_MS ? null : (recent * DAY_MS) / observed;
}

/** What a store takes beside what is free and what it takes empty. */
const contentOf = ({ bytes, free, empty }: Measured, store: Store) =>
  (bytes[store] ?? 0) - (free[store] ?? 0) - (empty[store] ?? 0);

/** Bytes that a message takes in a store, on average of those that are there, without what is free; null: too little is there to tell. */
export function perMessage(measured: Measured, store: Store): number | null {
  const count = held(measured, measured.plan, store, 0);
  const bytes = contentOf(measured, store);
  if (count > 0 && bytes > 0) return bytes / count;
  return store === "cold" && measured.messages > 0 ? (measured.readings / measured.messages) * COLD_BYTES : null;
}

/**
 * Bytes by store so many days from now, when as much comes as now; what is free stays so, as merging goes on. A store of which
 * it isn't known what a message takes there stays as it is.
 */
export function bytesIn(measured: Measured, inDays: number, plan: Plan = measured.plan): Bytes {
  return new Map(
    STORES.map((store) => {
      const each = perMessage(measured, store);
      const now = measured.bytes[store] ?? 0;
      if (each === null) return [store, now];
      return [store, held(measured, plan, store, inDays) * each + now - Math.max(0, contentOf(measured, store))];
    }),
  );
}

export function totalOf(bytes: Bytes): number {
  let total = 0;
  for (const size of bytes.values()) total += size;
  return total;
}

/** What a month costs: the machine, the disk with room to work, and cold storage. */
export interface Estimate {
  readonly machine: number;
  readonly disk: number;
  readonly objects: number;
  readonly total: number;
}

export function estimate(bytes: Bytes, { vcpus, memoryGiB }: Machine, prices: Prices): Estimate {
  const cold = bytes.get("cold") ?? 0;
  const machine = vcpus * prices.vcpu + memoryGiB * prices.memoryGiB;
  const disk = ((totalOf(bytes) - cold) / GIB) * HEADROOM * prices.diskGiB;
  const objects = (cold / GIB) * prices.objectGiB;
  return { machine, disk, objects, total: machine + disk + objects };
}

export const LEVERS = ["rawRetention", "messageRetention", "coldTier", "rightSize", "spot"] as const;
export type Lever = (typeof LEVERS)[number];

/** What a lever is set to: days that are kept, or days until readings are cold. */
export const LEVER_DAYS = { rawRetention: 90, messageRetention: 7, coldTier: 30 } as const;
/** Days from now for which levers are compared. */
export const LEVER_HORIZON = 365;

/** One thing that can be done, and what would be then, a year from now. */
export interface LeverEffect {
  readonly lever: Lever;
  readonly bytesSaved: number;
  /** What a month costs less. */
  readonly saved: readonly { readonly provider: string; readonly amount: number }[];
}

/** What a worker asks of a machine: see docker/kubernetes/base/worker.yaml, whose requests were measured. */
const WORKER: Machine = { vcpus: 0.25, memoryGiB: 0.5625 };

/** The machine that would do: twice the load, and half as much memory again as is in use. @param load processors. @param usedGiB of memory. */
export function neededFor(load: number, usedGiB: number): Machine {
  return { vcpus: Math.max(1, Math.ceil(load * 2)), memoryGiB: Math.max(2, Math.ceil(usedGiB * 1.5)) };
}

/** What each lever would save on this installation; those that save nothing are left out. @param needed the machine that would do. */
export function leversOf(
  measured: Measured,
  { machine, needed }: { readonly machine: Machine; readonly needed: Machine },
  prices: readonly Prices[],
): LeverEffect[] {
  const now = bytesIn(measured, LEVER_HORIZON);
  const { plan } = measured;
  const shorter = (days: number | null | undefined, wanted: number) => Math.min(days ?? Infinity, wanted);
  const keeping = (store: "raw" | "messages", days: number): Plan => ({
    ...plan,
    days: { ...plan.days, ...(store in plan.days && { [store]: shorter(plan.days[store], days) }) },
  });
  const effect = (lever: Lever, then: Bytes, on: Machine): LeverEffect => ({
    lever,
    bytesSaved: totalOf(now) - totalOf(then),
    saved: prices.map((one) => {
      const amount = estimate(now, machine, one).total - estimate(then, on, one).total;
      return { provider: one.provider, amount };
    }),
  });
  // The machine of web and PostgreSQL can't be taken back; a worker's part of it can, and each further worker's as well.
  const spot: LeverEffect = {
    ...{ lever: "spot", bytesSaved: 0 },
    saved: prices.map(({ provider, vcpu, memoryGiB, spotDiscount }) => {
      return { provider, amount: (WORKER.vcpus * vcpu + WORKER.memoryGiB * memoryGiB) * spotDiscount };
    }),
  };
  // Of a machine that is too small already, no part is one to save.
  const isEnough = needed.vcpus <= machine.vcpus && needed.memoryGiB <= machine.memoryGiB;
  const inAYear = (changed: Plan) => bytesIn(measured, LEVER_HORIZON, changed);
  return [
    effect("rawRetention", inAYear(keeping("raw", LEVER_DAYS.rawRetention)), machine),
    effect("messageRetention", inAYear(keeping("messages", LEVER_DAYS.messageRetention)), machine),
    effect("coldTier", inAYear({ ...plan, coldAfterDays: shorter(plan.coldAfterDays, LEVER_DAYS.coldTier) }), machine),
    ...(isEnough ? [effect("rightSize", now, needed)] : []),
    spot,
  ].filter(({ bytesSaved, saved }) => bytesSaved > 0.5 || saved.some(({ amount }) => amount > 0.005));
}
