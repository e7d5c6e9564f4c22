import type { CatalogDevice, CatalogMetric, DeviceUnit, NewDevice } from "@/server/catalog/catalog-writes";
import { isPlain, judgeFields, NO_ROOM_FOR_DEVICE, ofOtherSite } from "@/server/domain/fields";
import type { DecodedMessage, Shape } from "@/server/domain/message";
import type { Refusal } from "@/server/domain/reasons";
import { readSite } from "@/server/domain/site-mark";
import { type EpochMs, type MetricKind, TWIN_LIMITS } from "@/server/domain/terms";
import { readSource } from "@/server/domain/source-mark";
import { deadLetterId, NEVER_RESENT, type DeadLetter } from "@/server/ports/dead-letters";
import type { EnrichedMessage, Received } from "@/server/ports/commit-batch";
import { positionOf, type DecodedBatch, type EnrichedBatch, type SourceBatch } from "../batch";
import type { Catalog, OwnUnits } from "@/server/catalog/catalog";
import type { createEdgeReader } from "@/server/readings/series-edges";
import type { ErasedNames } from "@/server/catalog/erasures";
import { createOwnNames } from "../own-names";
import { printable } from "../printable";
import { rawField } from "../raw-field";

export interface EnrichDeps {
  readonly catalog: Pick<Catalog, "current">;
  /** Reads what rules have removed of the devices of these messages. */
  readonly readEdges: ReturnType<typeof createEdgeReader>;
}

/**
 * Gives each message its device and its readings their metrics, discovering new ones; what doesn't fit becomes a dead
 * letter: the message if its device can't be added, else the field alone.
 */
export function createEnrich({ catalog, readEdges }: EnrichDeps) {
  return async (batch: DecodedBatch): Promise<EnrichedBatch> => {
    // Everything in the batch is discovered before any of it is judged, so that a batch handled again is judged the same.
    const { epoch, aliases, erased: erasedNames, ...known } = await catalog.current();
    const { received, letters: refused, ...source } = erasedNames === null ? batch : withoutErased(batch, erasedNames);
    const letters: DeadLetter[] = [...refused];
    const devices = new Map(await known.devices(wantedDevices(received)));
    const leaving = received.flatMap(({ message }) => (isGoodbye(message) ? [message.device] : []));
    const unseen = leaving.filter((name) => !devices.has(name));
    if (unseen.length > 0)
      for (const device of await known.devicesNow([...new Set(unseen)])) devices.set(device.name, device);
    // Nearly all batches have no sender that speaks for one site.
    const hasSites = received.some(({ record }) => readSite(record.headers) !== null);
    const strangers = hasSites
      ? received.filter((entry) => isOfOtherSite(entry, devices)).map(({ message }) => message.device)
      : [];
    // Sites are renamed, and devices moved: whoever seems to be a stranger is looked up as it is now.
    let sites: ReadonlyMap<string, number> = new Map();
    if (strangers.length > 0) {
      for (const device of await known.devicesNow([...new Set(strangers)])) devices.set(device.name, device);
      sites = await known.sitesNow([...new Set(received.flatMap(({ record }) => readSite(record.headers) ?? []))]);
    }
    const refusalOf = (entry: Received): Refusal | null => {
      if (!devices.has(entry.message.device)) return NO_ROOM_FOR_DEVICE;
      const isStranger = hasSites && isOfOtherSite(entry, devices, sites);
      return isStranger ? ofOtherSite(entry.message.device, readSite(entry.record.headers)!) : null;
    };
    const accepted: Received[] = [];
    for (const entry of received) {
      // Nobody misses a device that was never there.
      if (isGoodbye(entry.message) && !devices.has(entry.message.device)) continue;
      const refusal = refusalOf(entry);
      if (refusal === null) accepted.push(entry);
      else letters.push(letterOf(batch, entry, null, refusal, entry.record.value));
    }
    const metrics = await known.metrics(wantedMetrics(accepted), wantedUnits(accepted));
    const idOf = ({ message }: Received) => devices.get(message.device)!.id;
    const edges = await readEdges(accepted, idOf, timeOf);
    const sayUnits = accepted.filter(({ message }) => message.units !== undefined);
    const own = sayUnits.length === 0 ? NO_UNITS : await known.ownUnits([...new Set(sayUnits.map(idOf))]);
    const said: Said = { own, fresh: new Map() };
    const idsOf = createIdsOf(metrics);
    const messages = accepted.map((entry) => {
      const deviceId = idOf(entry);
      const own = edges.get(deviceId);
      return (
        takenWhole(entry, deviceId, own, idsOf) ??
        place(batch, entry, { id: deviceId, edges: own }, metrics, said, letters)
      );
    });
    if (said.fresh.size > 0) await known.noteOwnUnits([...said.fresh.values()]);
    await known.pair(messages);
    if (aliases.size === 0) return { ...source, epoch, messages, letters };
    return { ...source, epoch, messages: messages.map(createOwnNames(aliases)), aliases, letters };
  };
}

/** Leaves out what is of devices that were erased, and counts it. */
function withoutErased(batch: DecodedBatch, erasedNames: ErasedNames): DecodedBatch {
  const erased = new Map<number, number>();
  const stays = (device: string | null) => {
    const erasure = device === null ? null : erasedNames(device);
    if (erasure !== null) erased.set(erasure, (erased.get(erasure) ?? 0) + 1);
    return erasure === null;
  };
  const received = batch.received.filter(({ message }) => stays(message.device));
  const letters = batch.letters.filter(({ device }) => stays(device));
  return erased.size === 0 ? batch : { ...batch, received, letters, erased };
}

function isGoodbye({ gone }: DecodedMessage): boolean {
  return gone !== undefined;
}

/** True if the sender speaks for one site, and the device is of another one, or of none. @param sites those of other names, too */
function isOfOtherSite(
  { record, message }: Received,
  devices: ReadonlyMap<string, Pick<CatalogDevice, "site" | "siteId">>,
  sites?: ReadonlyMap<string, number>,
): boolean {
  const site = readSite(record.headers);
  const device = devices.get(message.device);
  if (site === null || device === undefined || device.site === site) return false;
  return device.siteId === null || sites?.get(site) !== device.siteId;
}

const timeOf = ({ message }: Received) => message.eventTime;
const NONE: readonly never[] = [];
const NO_UNITS: OwnUnits = new Map();

/** Units of devices' metrics: those they have, and those that messages of this batch gave them, by device and metric. */
interface Said {
  readonly own: OwnUnits;
  readonly fresh: Map<string, DeviceUnit>;
}

/** Finds the metrics of a shape's names, each shape once; null where one isn't there. */
function createIdsOf(metrics: ReadonlyMap<string, CatalogMetric>): (shape: Shape) => readonly number[] | null {
  const known = new Map<Shape, readonly number[] | null>();
  return (shape) => {
    const found = known.get(shape);
    if (found !== undefined) return found;
    const ids = shape.names.map((name) => metrics.get(name)?.id);
    const all = ids.every((id) => id !== undefined) ? ids : null;
    known.set(shape, all);
    return all;
  };
}

/** The message with all of its fields as they are, which nearly all are; null for one whose fields are to be judged. */
function takenWhole(
  { record, message }: Received,
  deviceId: number,
  edges: ReadonlyMap<number, EpochMs> | undefined,
  idsOf: (shape: Shape) => readonly number[] | null,
): EnrichedMessage | null {
  if (edges !== undefined || !isPlain(message) || message.rounded.length > 0) return null;
  const { shape, values } = message;
  const metrics = idsOf(shape);
  return metrics && { record, message, deviceId, shape, metrics, values, rounded: NONE, texts: NONE };
}

/** Gives the readings of one message their metrics; the fields that don't fit go to `letters`. */
function place(
  batch: SourceBatch,
  entry: Received,
  { id: deviceId, edges }: { readonly id: number; readonly edges: ReadonlyMap<number, EpochMs> | undefined },
  known: ReadonlyMap<string, CatalogMetric>,
  { own, fresh }: Said,
  letters: DeadLetter[],
): EnrichedMessage {
  const { record, message } = entry;
  const removedBefore = (field: string) => {
    const edge = edges!.get(known.get(field)?.id ?? -1);
    return edge !== undefined && message.eventTime < edge ? edge : null;
  };
  const unitAt = (field: string) => {
    const { id, unit } = known.get(field)!;
    return own.get(deviceId)?.get(id) ?? fresh.get(`${deviceId} ${id}`)?.unit ?? unit;
  };
  const judged = judgeFields(message, (field) => known.has(field), {
    removedBefore: edges ? removedBefore : null,
    unitAt,
  });
  const { shape, values, texts, refused, ownUnits } = judged;
  for (const [field, unit] of ownUnits) {
    const metric = known.get(field)!.id;
    fresh.set(`${deviceId} ${metric}`, { deviceId, metric, unit });
  }
  for (const { field, number, value, ...refusal } of refused)
    letters.push(letterOf(batch, entry, { field, number }, refusal, rawField(entry, field, value, refusal.reason)));
  const metrics = shape.names.map((name) => known.get(name)!.id);
  const rounded =
    message.rounded.length === 0 ? NONE : [...new Set(message.rounded.flatMap((field) => known.get(field)?.id ?? []))];
  const shortened =
    texts.length === 0 ? NONE : texts.map(([field, text]) => [field, text.slice(0, TWIN_LIMITS.textLength)] as const);
  return { record, message, deviceId, shape, metrics, values, rounded, texts: shortened };
}

function letterOf(
  batch: SourceBatch,
  { record, message }: Received,
  at: { readonly field: string; readonly number: number } | null,
  { reason, detail }: Refusal,
  raw: Uint8Array,
): DeadLetter {
  const position = positionOf(batch, record);
  return {
    id: deadLetterId(position, at?.number ?? null),
    position,
    reason,
    detail: printable(detail),
    device: message.device,
    field: at ? printable(at.field, 128) : null,
    ingestTime: record.ingestTime,
    processedTime: batch.processedTime,
    raw,
    senderSite: readSite(record.headers),
    source: readSource(record.headers),
    delivery: null,
    ...NEVER_RESENT,
  };
}

/** Lists the devices that were heard in log order, with the first site and type named for them: a sender's site wins over its message's. */
function wantedDevices(received: readonly Received[]): Map<string, NewDevice> {
  const wanted = new Map<string, { name: string; site: string | null; isSenders: boolean; type: string | null }>();
  for (const { record, message } of received) {
    if (isGoodbye(message)) continue;
    const { device: name, type = null } = message;
    const ofSender = readSite(record.headers);
    const [site, isSenders] = [ofSender ?? message.site ?? null, ofSender !== null];
    const device = wanted.get(name);
    if (!device) wanted.set(name, { name, site, isSenders, type });
    else {
      if (device.site === null && site !== null) Object.assign(device, { site, isSenders });
      device.type ??= type;
    }
  }
  return wanted;
}

/** The unit that the first message of each metric says its number is in. */
function wantedUnits(received: readonly Received[]): ReadonlyMap<string, string> {
  const units = new Map<string, string>();
  const seen = new Set<string>();
  if (!received.some(({ message }) => message.units !== undefined)) return units;
  for (const { message } of received) {
    const { names, kinds } = message.shape;
    for (const [i, field] of names.entries()) {
      if (seen.has(field)) continue;
      seen.add(field);
      const unit = kinds[i] === "number" ? message.units?.get(field) : undefined;
      if (unit !== undefined) units.set(field, unit);
    }
  }
  return units;
}

/** Lists the metrics in log order, as numbers if any number came, else as booleans; null for those seen as strings only. */
function wantedMetrics(received: readonly Received[]) {
  const wanted = new Map<string, MetricKind | null>();
  const seen = new Set<Shape>();
  for (const { message } of received) {
    const { shape } = message;
    // Shapes that were seen have nothing new to say.
    if (!seen.has(shape)) {
      seen.add(shape);
      for (const [i, field] of shape.names.entries())
        if (wanted.get(field) !== "number") wanted.set(field, shape.kinds[i]!);
    }
    if (message.texts.length > 0) for (const [field] of message.texts) if (!wanted.has(field)) wanted.set(field, null);
  }
  return wanted;
}
