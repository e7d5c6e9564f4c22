import { type DeviceState, offsetOf, stepDevice } from "@/server/domain/quality/device-checks";
import type { Flag } from "@/server/domain/quality/checks";
import { newSeriesOf, type SeriesLimits, type SeriesState, stepSeries } from "@/server/domain/quality/series-checks";
import type { EpochMs } from "@/server/domain/terms";
import { addFlag, type AnyCheck, type OpenFlag, type OpenFlags } from "./flags";
import type { Limits } from "./limits";

const HOUR = 3_600_000;

interface CheckedSeries {
  readonly metric: number;
  readonly state: SeriesState;
  limits: SeriesLimits;
}

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
  private readonly series = new Map<number, CheckedSeries>();
  /** The series of the metrics that its last message had: most messages of a device have the same. */
  private lastMetrics: readonly number[] | null = null;
  private lastSeries: readonly CheckedSeries[] = [];
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
    for (const [metric, of] of states) this.add(metric, of);
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
      const states = newSeriesOf(metrics.filter((metric) => !this.series.has(metric)).length);
      this.lastSeries = metrics.map((metric) => this.series.get(metric) ?? this.add(metric, states.pop()!));
      this.lastMetrics = metrics;
    }
    for (let i = 0; i < metrics.length; i++) {
      if (only !== undefined && !only.includes(metrics[i]!)) continue;
      const { state, limits } = this.lastSeries[i]!;
      this.stepping = metrics[i]!;
      stepSeries(state, time, values[i]!, limits, this.tellSeries);
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
    for (const series of this.series.values()) series.limits = this.limitsOf(series.metric);
  }

  /** Ends a transaction, which leaves this mark. */
  settle(mark: number): void {
    this.mark = mark;
    this.late = this.told = null;
  }

  states() {
    return {
      device: this.state,
      series: new Map([...this.series].map(([metric, { state }]) => [metric, state])),
    };
  }

  private add(metric: number, state: SeriesState): CheckedSeries {
    const series = { metric, state, limits: this.limitsOf(metric) };
    this.series.set(metric, series);
    return series;
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
