import {
  type LabelsOf,
  type MetricDefinition,
  type MetricName,
  type MetricOf,
  METRICS,
  metricsOf,
  type MetricsRole,
} from "./definitions";

/** What a histogram has counted. */
export interface HistogramValue {
  /** Observations of each class, the one without an upper end last; not summed up. */
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
  /** The latest observation of each class that came with a trace. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** One series' value; labels are in the order of the metric's definition. */
export interface Sample {
  readonly labels: readonly string[];
  readonly value: number | HistogramValue;
}

/** A metric with its series, as scraped. */
export interface Family {
  readonly name: MetricName;
  readonly definition: MetricDefinition;
  readonly samples: readonly Sample[];
}

/** Takes the values of metrics during one scrape. A series that isn't set is absent. */
type SetValue = <Name extends MetricOf<"gauge"> | MetricOf<"counter">>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
) => void;

/** What may be said of a value that was observed. */
interface Observed {
  /** The trace it belongs to. */
  readonly traceId?: string | undefined;
  /** Left out: once. */
  readonly times?: number;
}

/** Counts of this process; they never throw and never wait. */
export interface Counting {
  count<Name extends MetricOf<"counter">>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends MetricOf<"histogram">>(name: Name, labels: LabelsOf<Name>, value: number, more?: Observed): void;
}

export interface Metrics extends Counting {
  readonly role: MetricsRole;
  /**
   * Has `read` asked at each scrape, for values that are known elsewhere.
   * @param collector its name; {@link METRICS.fieldwatch_collector_up} tells by it that `read` failed or took too long, where the role serves that
   */
  collect(collector: string, read: (set: SetValue) => Promise<void> | void): void;
  /** Everything there is to tell now; callers at the same time share one reading. */
  gather(): Promise<readonly Family[]>;
}

/** A collector may take so long, in milliseconds; Prometheus gives up after 10 s. */
const PATIENCE_MS = 5000;

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
  readonly exemplars: (Exemplar | undefined)[];
}

/** Makes the metrics that a role serves, all without a series yet. */
export function createMetrics(role: MetricsRole): Metrics {
  const served = metricsOf(role);
  const counters = new Map<string, Map<string, { labels: string[]; value: number }>>();
  const histograms = new Map<string, Map<string, { labels: string[]; value: Histogram }>>();
  const collectors: { readonly name: string; readonly read: (set: SetValue) => Promise<void> | void }[] = [];
  let gathering: Promise<readonly Family[]> | undefined;

  async function gather(): Promise<readonly Family[]> {
    const told = await Promise.all(collectors.map(run));
    const set = new Map<string, Sample[]>();
    for (const { values } of told)
      for (const [name, samples] of values) set.set(name, [...(set.get(name) ?? []), ...samples]);
    if (role === "web")
      set.set(
        "fieldwatch_collector_up",
        told.map(({ name, isUp }) => ({ labels: [name], value: isUp ? 1 : 0 })),
      );
    return served.map(([name, definition]) => ({
      ...{ name, definition },
      samples: [
        ...(set.get(name) ?? []),
        ...(counters.get(name)?.values() ?? []),
        ...(histograms.get(name)?.values() ?? []),
      ],
    }));
  }

  return {
    role,
    count(name, labels, by = 1) {
      const cell = cellOf(counters, name, labels, () => 0);
      cell.value += by;
    },
    observe(name, labels, value, { traceId, times = 1 } = {}) {
      const { buckets } = METRICS[name];
      const { value: histogram } = cellOf(histograms, name, labels, () => emptyHistogram(buckets.length + 1));
      let i = 0;
      while (i < buckets.length && value > buckets[i]!) i++;
      histogram.counts[i]! += times;
      histogram.sum += value * times;
      histogram.count += times;
      if (traceId !== undefined) histogram.exemplars[i] = { traceId, value, at: Date.now() };
    },
    collect: (name, read) => void collectors.push({ name, read }),
    gather: () => (gathering ??= gather().finally(() => (gathering = undefined))),
  };
}

/** Runs a collector. What it had set before it failed is left out: half of a sum is a wrong sum. */
async function run({ name, read }: { name: string; read: (set: SetValue) => Promise<void> | void }) {
  const values = new Map<string, Sample[]>();
  let isOver = false;
  const set: SetValue = (metric, labels, value) => {
    if (isOver) return;
    const samples = values.get(metric) ?? [];
    samples.push({ labels: valuesOf(metric, labels), value });
    values.set(metric, samples);
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS).unref();
  });
  const asked = (async () => read(set))().then(
    () => true,
    () => false,
  );
  const isUp = await Promise.race([asked, late]);
  clearTimeout(timer);
  isOver = true;
  return { name, isUp, values: isUp ? values : new Map<string, Sample[]>() };
}

function emptyHistogram(classes: number): Histogram {
  return {
    counts: new Array<number>(classes).fill(0),
    sum: 0,
    count: 0,
    exemplars: new Array<undefined>(classes).fill(undefined),
  };
}

function cellOf<Name extends MetricName, Value>(
  cells: Map<string, Map<string, { labels: string[]; value: Value }>>,
  name: Name,
  labels: LabelsOf<Name>,
  empty: () => Value,
): { value: Value } {
  let series = cells.get(name);
  if (series === undefined) cells.set(name, (series = new Map()));
  const values = valuesOf(name, labels);
  const key = values.length === 1 ? values[0]! : values.join("\0");
  let cell = series.get(key);
  if (cell === undefined) series.set(key, (cell = { labels: values, value: empty() }));
  return cell;
}

function valuesOf<Name extends MetricName>(name: Name, labels: LabelsOf<Name>): string[] {
  return METRICS[name].labels.map((label) => String((labels as Record<string, string | number>)[label]));
}
