import type { Pool } from "pg";
import { readAliases } from "./aliases";
import { readCatalogAge } from "./epoch";
import { type ErasedNames, readErasedNames } from "./erasures";
import {
  countAsNumbers,
  describeDevices,
  discoverDevices,
  discoverMetrics,
  findDevices,
  findMetrics,
  findOwnUnits,
  findSiteIds,
  noteMetrics,
  noteOwnUnits,
  type CatalogDevice,
  type CatalogMetric,
  type DeviceMetric,
  type DeviceUnit,
  type NewDevice,
} from "./catalog-writes";
import type { MetricKind } from "@/server/domain/terms";

export interface CatalogSettings {
  readonly pool: Pool;
  readonly maxDevices: number;
  readonly maxMetrics: number;
}

/** Devices and metrics by name, kept in memory, discovered when new. Holds no more than the database may. */
export interface Catalog {
  /** The catalog as it is remembered; whoever commits by it must hold that its epoch is still the database's. */
  current(): Promise<CatalogView>;
  metricName(id: number): string | undefined;
  /**
   * Drops what is remembered of another epoch than the database's. A commit would find out too, but documents are stored before it: those of a device
   * that was erased must not be.
   */
  refresh(): Promise<void>;
  /** Drops what is remembered, because the database turned out to hold something else. */
  forget(): void;
}

export type OwnUnits = ReadonlyMap<number, ReadonlyMap<number, string>>;

/** The catalog of one epoch. */
interface CatalogView {
  readonly epoch: number;
  /** The names of metrics by others under which they are sent. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The names of erased devices, whose messages are dropped; null: there are none. */
  readonly erased: ErasedNames | null;
  /** The wanted devices that are known or could be added, by name. */
  devices(wanted: ReadonlyMap<string, NewDevice>): Promise<ReadonlyMap<string, CatalogDevice>>;
  /** Those of the named devices that are known, as the database has them now: people move devices to other sites. */
  devicesNow(names: readonly string[]): Promise<readonly CatalogDevice[]>;
  /** The sites that have, or had, these names. */
  sitesNow(names: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /**
   * The wanted metrics that are known or could be added, by the name they are wanted by. A kind of null only asks, and adds nothing.
   * A metric that is known as boolean becomes a number with the first number, for good.
   * @param units those of metrics that are added.
   */
  metrics(
    wanted: ReadonlyMap<string, MetricKind | null>,
    units: ReadonlyMap<string, string>,
  ): Promise<ReadonlyMap<string, CatalogMetric>>;
  /** The units that these devices have of their own, by device and metric. */
  ownUnits(devices: readonly number[]): Promise<OwnUnits>;
  /** Gives devices' metrics that have no unit those that their messages say. */
  noteOwnUnits(noted: readonly DeviceUnit[]): Promise<void>;
  /** Sees to it that each device is known to have these metrics. */
  pair(devices: readonly { readonly deviceId: number; readonly metrics: readonly number[] }[]): Promise<void>;
}

export function createCatalog(settings: CatalogSettings): Catalog {
  // Names outlive what is forgotten: an id is of one metric for ever, and a metric that is renamed is found anew.
  const metricNames = new Map<number, string>();
  let view: ReturnType<typeof createView> | null = null;
  return {
    async current() {
      if (view !== null) return view;
      // Read before all else: what is found later may be newer, never older.
      const { epoch, newestMetric } = await readCatalogAge(settings.pool);
      const aliases = await readAliases(settings.pool);
      const erased = await readErasedNames(settings.pool);
      view = createView(settings, { epoch, aliases, erased }, metricNames);
      view.seeNewest(newestMetric);
      return view;
    },
    metricName: (id) => metricNames.get(id),
    async refresh() {
      if (view === null) return;
      const seen = view;
      const { epoch, newestMetric } = await readCatalogAge(settings.pool);
      if (epoch === seen.epoch) seen.seeNewest(newestMetric);
      else view = null;
    },
    forget() {
      // What is still being asked for goes to the view that was dropped.
      view = null;
    },
  };
}

/** Bounds the memory for which device has which metric: some 50 bytes each. */
const MOST_PAIRS = 2_000_000;
/** The same for names that are no metric's. */
const MOST_UNUSED = 10_000;

function createView(
  { pool, maxDevices, maxMetrics }: CatalogSettings,
  { epoch, aliases, erased }: Pick<CatalogView, "epoch" | "aliases" | "erased">,
  metricNames: Map<number, string>,
): CatalogView & { seeNewest(metric: number): void } {
  const devices = new Map<string, CatalogDevice>();
  const metrics = new Map<string, CatalogMetric>();
  /** Names of fields that no metric had when this one was the newest: fields of words mostly, which never become one. */
  const unused = new Set<string>();
  let newest = 0;
  /** The metrics that each device is known to have. */
  const pairs = new Map<number, Set<number>>();
  let paired = 0;
  /** The units that each device is known to have of its own; those of all devices that were asked for. */
  const units = new Map<number, Map<number, string>>();

  function keepDevices(found: readonly CatalogDevice[]) {
    // Over the bound only if MAX_DEVICES was lowered below what the database holds.
    if (devices.size + found.length > maxDevices) devices.clear();
    for (const device of found) devices.set(device.name, device);
  }

  function keepMetrics(found: readonly CatalogMetric[]) {
    if (metrics.size + found.filter(({ name }) => !metrics.has(name)).length > maxMetrics) {
      metrics.clear();
      metricNames.clear();
    }
    for (const metric of found) {
      unused.delete(metric.name);
      metrics.set(metric.name, metric);
      metricNames.set(metric.id, metric.name);
    }
  }

  function keepUnused(name: string) {
    if (unused.size >= MOST_UNUSED) unused.clear();
    unused.add(name);
  }

  return {
    epoch,
    aliases,
    erased,

    seeNewest(metric) {
      if (metric !== newest) unused.clear();
      newest = metric;
    },

    async devices(wanted) {
      const result = new Map<string, CatalogDevice>();
      const missing: NewDevice[] = [];
      for (const [name, device] of wanted) {
        const known = devices.get(name);
        if (known) result.set(name, known);
        else missing.push(device);
      }
      if (missing.length > 0) {
        const found = await findDevices(pool, missing.map(nameOf));
        const names = new Set(found.map(nameOf));
        const fresh = missing.filter(({ name }) => !names.has(name));
        if (fresh.length > 0) found.push(...(await discoverDevices(pool, fresh, maxDevices)));
        keepDevices(found);
        for (const device of found) result.set(device.name, device);
      }
      await fillIn(wanted, result);
      return result;
    },

    async devicesNow(names) {
      const found = await findDevices(pool, names);
      keepDevices(found);
      return found;
    },

    sitesNow: (names) => findSiteIds(pool, names),

    async metrics(wanted, said) {
      if (aliases.size === 0) return metricsNamed(wanted, said);
      const own = new Map<string, MetricKind | null>();
      for (const [name, kind] of wanted) {
        const of = aliases.get(name) ?? name;
        const before = own.get(of) ?? null;
        own.set(of, before === "number" ? before : (kind ?? before));
      }
      const result = await metricsNamed(own, said);
      for (const name of wanted.keys()) {
        const metric = result.get(aliases.get(name) ?? name);
        if (metric) result.set(name, metric);
      }
      return result;
    },

    async ownUnits(wanted) {
      const missing = wanted.filter((device) => !units.has(device));
      if (missing.length > 0) {
        if (units.size + missing.length > maxDevices) units.clear();
        const all = missing.length === wanted.length ? missing : wanted.filter((device) => !units.has(device));
        const found = await findOwnUnits(pool, all);
        for (const device of all) units.set(device, new Map());
        for (const { deviceId, metric, unit } of found) units.get(deviceId)!.set(metric, unit);
      }
      return units;
    },

    async noteOwnUnits(noted) {
      await noteOwnUnits(pool, noted);
      for (const { deviceId, metric, unit } of noted) units.get(deviceId)?.set(metric, unit);
    },

    async pair(batch) {
      const fresh = new Map<number, Set<number>>();
      // Messages alike share their metrics, so that each device is looked at once.
      const seen = new Map<number, readonly number[]>();
      for (const { deviceId, metrics } of batch) {
        if (seen.get(deviceId) === metrics) continue;
        seen.set(deviceId, metrics);
        const known = pairs.get(deviceId);
        for (const metric of metrics) if (!known?.has(metric)) addPair(fresh, deviceId, metric);
      }
      if (fresh.size === 0) return;
      const noted: DeviceMetric[] = [...fresh].flatMap(([deviceId, metrics]) =>
        [...metrics].map((metric) => ({ deviceId, metric })),
      );
      await noteMetrics(pool, noted);
      if ((paired += noted.length) > MOST_PAIRS) {
        pairs.clear();
        paired = noted.length;
      }
      for (const { deviceId, metric } of noted) addPair(pairs, deviceId, metric);
    },
  };

  /** Finds or adds metrics by their own names. */
  async function metricsNamed(
    wanted: ReadonlyMap<string, MetricKind | null>,
    said: ReadonlyMap<string, string>,
  ): Promise<Map<string, CatalogMetric>> {
    const result = new Map<string, CatalogMetric>();
    const missing: string[] = [];
    for (const [name, kind] of wanted) {
      const known = metrics.get(name);
      if (known) result.set(name, known);
      else if (kind !== null || !unused.has(name)) missing.push(name);
    }
    const numbers = [...result.values()].filter(
      ({ name, kind }) => kind === "boolean" && wanted.get(name) === "number",
    );
    if (missing.length === 0 && numbers.length === 0) return result;
    const newestBefore = newest;
    const found = missing.length > 0 ? await findMetrics(pool, missing) : [];
    const names = new Set(found.map(nameOf));
    const fresh = missing.flatMap((name) => {
      const kind = wanted.get(name) ?? null;
      // One that was added while it was asked for may not have been seen.
      if (kind === null && !names.has(name) && newest === newestBefore) keepUnused(name);
      return names.has(name) || kind === null ? [] : [{ name, kind, unit: said.get(name) ?? null }];
    });
    if (fresh.length > 0) found.push(...(await discoverMetrics(pool, fresh, maxMetrics)));
    numbers.push(...found.filter(({ name, kind }) => kind === "boolean" && wanted.get(name) === "number"));
    if (numbers.length > 0) await countAsNumbers(pool, numbers);
    const now = [...found, ...numbers.map((metric) => ({ ...metric, kind: "number" as const }))];
    keepMetrics(now);
    for (const metric of now) result.set(metric.name, metric);
    return result;
  }

  /** A device found without a site or type gets those its messages name. */
  async function fillIn(wanted: ReadonlyMap<string, NewDevice>, known: Map<string, CatalogDevice>): Promise<void> {
    const told = [...known.values()].flatMap((device) => {
      const { type, ...told } = wanted.get(device.name)!;
      const site = told.isSenders ? null : told.site;
      const tells = (!device.hasSite && site !== null) || (!device.hasType && type !== null);
      return tells ? [{ device, site: device.hasSite ? null : site, type: device.hasType ? null : type }] : [];
    });
    if (told.length === 0) return;
    const filled = await describeDevices(
      pool,
      told.map(({ device, site, type }) => ({ id: device.id, site, type })),
    );
    for (const device of filled) {
      devices.set(device.name, device);
      known.set(device.name, device);
    }
  }
}

function addPair(pairs: Map<number, Set<number>>, deviceId: number, metric: number): void {
  const metrics = pairs.get(deviceId);
  if (metrics) metrics.add(metric);
  else pairs.set(deviceId, new Set([metric]));
}

function nameOf(named: { readonly name: string }): string {
  return named.name;
}
