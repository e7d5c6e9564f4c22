import { type DeviceState, offsetOf, stepDevice } from "@/server/domain/quality/device-checks";
import type { Flag } from "@/server/domain/quality/checks";
import { SERIES_SIZE, type SeriesLimits, type SeriesState, stepSeries } from "@/server/domain/quality/series-checks";
import type { EpochMs } from "@/server/domain/terms";
import { addFlag, type AnyCheck, type OpenFlag, type OpenFlags } from "./flags";
import type { Limits } from "./limits";

const HOUR = 3_600_000;

/** A device as it is remembered between batches: its states, and what is flagged of it. */
export class CheckedDevice {
  /** The mark it has in the database if nothing has changed it since. */
  mark = -1;
  /** The latest event time that was taken. */
  until: EpochMs;
  // Most devices never need these two, and emptying one makes as much garbage as a new one.
  /** Readings of the transaction under way that came late, by the hour of their event time; null: none did. */
  late: Map<EpochMs, number> | null = null;
  /** What was told in the transaction under way; null: nothing was. */
  told: Set<OpenFlag> | null = null;
  /** Processed time at which its states were stored. */
  storedAt: EpochMs;
  /** The states of its series one after another: a message of seven readings goes through one piece of memory. */
  private series = new Float64Array(0);
  /** Where the state of a metric's series begins. */
  private readonly places = new Map<number, number>();
  /** Their limits, in the order of the states. */
  private seriesLimits: SeriesLimits[] = [];
  /** The metrics that its last message had, their places and limits: most messages of a device have the same. */
  private lastMetrics: readonly number[] | null = null;
  private lastPlaces: readonly number[] = [];
  private lastLimits: readonly SeriesLimits[] = [];
  /** NaN: there was none. */
  private lastTime: EpochMs = NaN;
  private lastGoesOn = false;
  private isQuiet = false;
  /** The metric whose reading is being taken. */
  private stepping = 0;

  constructor(
    readonly id: number,
    private readonly state: DeviceState,
    states: ReadonlyMap<number, SeriesState>,
    private readonly open: OpenFlags,
    private readonly ownUnits: ReadonlySet<number>,
    private limits: Limits,
    { until, storedAt }: { readonly until: EpochMs; readonly storedAt: EpochMs },
  ) {
    this.until = until;
    this.storedAt = storedAt;
    this.add([...states.keys()]);
    for (const [metric, of] of states) this.series.set(of, this.places.get(metric));
  }

  /** Takes a message's readings. @param only those of its metrics that are new; left out: all are */
  take(
    time: EpochMs,
    arrived: EpochMs,
    metrics: readonly number[],
    values: ArrayLike<number>,
    only?: readonly number[],
  ): void {
    // A device may send the readings of one moment in several messages.
    if (time !== this.lastTime) this.lastGoesOn = stepDevice(this.state, time, arrived, this.tellDevice);
    this.lastTime = time;
    if (time > this.until) this.until = time;
    else if (time < this.until && !this.isQuiet) {
      const hour = time - (time % HOUR);
      this.late ??= new Map();
      this.late.set(hour, (this.late.get(hour) ?? 0) + (only ?? metrics).length);
    }
    if (!this.lastGoesOn) return;
    if (metrics !== this.lastMetrics) {
      this.add(metrics.filter((metric) => !this.places.has(metric)));
      this.lastPlaces = metrics.map((metric) => this.places.get(metric)!);
      this.lastLimits = this.lastPlaces.map((place) => this.seriesLimits[place / SERIES_SIZE]!);
      this.lastMetrics = metrics;
    }
    for (let i = 0; i < metrics.length; i++) {
      if (only !== undefined && !only.includes(metrics[i]!)) continue;
      this.stepping = metrics[i]!;
      stepSeries(this.series, this.lastPlaces[i]!, time, values[i]!, this.lastLimits[i]!, this.tellSeries);
    }
  }

  /** Takes readings again that were told of when they came. When that was isn't known any more: as late as the last known one. */
  replay(time: EpochMs, metrics: readonly number[], values: ArrayLike<number>): void {
    this.isQuiet = true;
    this.take(time, time + offsetOf(this.state), metrics, values);
    this.isQuiet = false;
  }

  /** Goes by other limits from now on. */
  limit(limits: Limits): void {
    this.limits = limits;
    this.seriesLimits = [...this.places.keys()].map((metric) => this.limitsOf(metric));
    this.lastMetrics = null;
  }

  /** Ends a transaction, which leaves this mark. */
  settle(mark: number): void {
    this.mark = mark;
    this.late = this.told = null;
  }

  states() {
    const of = (place: number): SeriesState => this.series.subarray(place, place + SERIES_SIZE);
    return {
      device: this.state,
      series: new Map([...this.places].map(([metric, place]) => [metric, of(place)])),
    };
  }

  /** Makes room for series without a past. */
  private add(metrics: readonly number[]): void {
    if (metrics.length === 0) return;
    const before = this.series;
    this.series = new Float64Array(before.length + metrics.length * SERIES_SIZE);
    this.series.set(before);
    for (const [i, metric] of metrics.entries()) {
      this.places.set(metric, before.length + i * SERIES_SIZE);
      this.seriesLimits.push(this.limitsOf(metric));
    }
  }

  private limitsOf(metric: number): SeriesLimits {
    return this.limits.of(this.id, metric, this.ownUnits.has(metric));
  }

  private readonly tellSeries = (flag: Flag): void => this.note(this.stepping, flag);

  private readonly tellDevice = (flag: Flag<AnyCheck>): void => this.note(0, flag);

  private note(metric: number, flag: Flag<AnyCheck>): void {
    if (!this.isQuiet) (this.told ??= new Set()).add(addFlag(this.open, this.id, metric, flag));
  }
}
