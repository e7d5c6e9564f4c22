import { type JudgedRule, UNSEEN } from "@/server/domain/alerts/condition";
import { type DeviceFacts, SCORE } from "@/server/domain/alerts/judged";
import { type AlertEvent, type AlertState, restState } from "@/server/domain/alerts/state";
import type { EpochMs } from "@/server/domain/terms";
import type { Sample } from "@/server/ports/commit-batch";
import type { ActiveRule } from "./active-rules";
import type { Compiled, Part } from "./compiled";

/** One rule for one device, or one of its series. */
export interface Instance {
  readonly rule: ActiveRule;
  readonly judged: JudgedRule;
  /** The metric's id; 0: of several, or of none. */
  readonly metric: number;
  /** What it is about that is no device: the name of an engine or a source. */
  readonly subject?: string;
  /** Null: it is normal, and the values of its series say the rest. */
  state: AlertState | null;
  /** The state as it is stored; null: it isn't. */
  kept: AlertState | null;
  /** It was missed while it was live. */
  readonly late?: true;
  /** The alert of its site that it is beneath. */
  parent?: string;
  /** What was decided in the transaction under way. */
  events: AlertEvent[];
}

/** What alerts say they are of: a device, or what stands in its place. */
export type Owner = Pick<Watched, "id" | "facts" | "siteId" | "metricNames">;

/** A device as it is remembered for being judged. What is normal takes two numbers a series, and no instance. */
export class Watched {
  /** The mark it has in the database if nothing has changed it since. */
  mark = -1;
  /** By column the time of a series' newest reading, then by column its value; NaN: it is older than what was read. */
  readonly newest: Float64Array;
  /** How many instances have a state that its readings may change. */
  busy = 0;
  private made: Map<JudgedRule, Instance> | null = null;

  constructor(
    readonly id: number,
    readonly facts: DeviceFacts,
    readonly siteId: number | null,
    public compiled: Compiled,
  ) {
    const columns = compiled.low.length;
    this.newest = new Float64Array(2 * columns).fill(-Infinity, 0, columns);
  }

  get metricNames(): ReadonlyMap<number, string> {
    return this.compiled.metricNames;
  }

  /** All there are. */
  get instances(): Instance[] {
    return this.compiled.parts.map((part) => this.instanceOf(part));
  }

  /** Those that watch for silence. */
  get silences(): Instance[] {
    return this.compiled.silences.map((part) => this.instanceOf(part));
  }

  /** Those of which there is something to remember; the others are normal. */
  get remembered(): Iterable<Instance> {
    return this.made?.values() ?? [];
  }

  /** Whether there is any of these. */
  get isRemembering(): boolean {
    return this.made !== null && this.made.size > 0;
  }

  /** That of a part, made when there is none yet. */
  instanceOf({ rule, judged, metric }: Part): Instance {
    this.made ??= new Map();
    let instance = this.made.get(judged);
    if (!instance) this.made.set(judged, (instance = { rule, judged, metric, state: null, kept: null, events: [] }));
    return instance;
  }

  /** Readings before `from` aren't known. */
  readFrom(from: EpochMs): void {
    const columns = this.compiled.low.length;
    this.newest.fill(from, 0, columns).fill(NaN, columns);
  }

  /** Remembers readings that are the newest of their series. */
  take({ metrics, values, time }: Pick<Sample, "metrics" | "values" | "time">): void {
    const { low, places } = this.compiled;
    for (let i = 0; i < metrics.length; i++) {
      const column = places.get(metrics[i]!) ?? -1;
      if (column < 0 || time < this.newest[column]!) continue;
      this.newest[column] = time;
      this.newest[low.length + column] = values[i]!;
    }
  }

  /** Forgets an instance once it is normal and nothing of it is stored. */
  forgetNormal({ judged, state, kept, events }: Instance): void {
    if (state === null && kept === null && events.length === 0) this.made?.delete(judged);
  }
}

/** Where an instance stands. */
export function stateOf({ state, judged }: Instance, { newest, compiled }: Watched): AlertState {
  if (state !== null) return state;
  let at: EpochMs | null = null;
  const seen = judged.conditions.map(({ metric }) => {
    const column = compiled.places.get(metric)!;
    const [time, value] = [newest[column]!, newest[compiled.low.length + column]!];
    if (time > (at ?? -Infinity)) at = time;
    // NaN: the newest is older than what was read.
    return Number.isNaN(value) || time === -Infinity ? UNSEEN : { ...UNSEEN, time, value };
  });
  return { ...restState(judged, seen), at };
}

/** True for those that are judged by readings; others by silence, or by a score that comes now and then. */
export function isOfReadings({ conditions }: JudgedRule): boolean {
  return conditions.some(({ metric }) => metric !== SCORE);
}

/** True for those whose state is more than the newest values. */
function hasMemory({ conditions }: JudgedRule): boolean {
  return conditions.some(({ what }) => what !== "value");
}

/** Sets where an instance stands; what is normal is forgotten. */
export function setState(watched: Watched, instance: Instance, state: AlertState): void {
  const isNormal = state.phase === "normal" && state.fires.length === 0 && !hasMemory(instance.judged);
  const before = instance.state !== null;
  instance.state = isNormal ? null : state;
  if (isOfReadings(instance.judged)) watched.busy += Number(!isNormal) - Number(before);
}
