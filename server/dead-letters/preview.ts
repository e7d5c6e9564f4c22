import { judgeFields, NO_ROOM_FOR_DEVICE, ofOtherSite } from "@/server/domain/fields";
import { type DecodeBounds, decodeMessage } from "@/server/domain/decode-message";
import type { DecodedMessage } from "@/server/domain/message";
import type { Refusal } from "@/server/domain/reasons";
import type { DeadLetter } from "@/server/ports/dead-letters";
import { type RereadDeliveries, stillRefused } from "./reread";

/** The part of the catalog that is read to judge messages. */
interface CatalogView {
  /** Reads those of the named devices that are known. */
  devices(names: readonly string[]): Promise<readonly { readonly name: string; readonly siteId: number | null }[]>;
  /** Finds the sites that have, or had, these names. */
  sites(names: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Reads those of the named metrics that are known, with the units of devices that have none of their own. */
  metrics(names: readonly string[]): Promise<readonly { readonly name: string; readonly unit: string | null }[]>;
  /** Reads the units that the named devices have of their own, by device and metric. */
  ownUnits(names: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>;
  /** Counts how many more the catalog takes; below zero when a limit was lowered. */
  room(): Promise<{ readonly devices: number; readonly metrics: number }>;
}

export interface PreviewDeps {
  readonly catalog: CatalogView;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
}

/** The outcome a message would have if the worker got it now. */
export interface Preview {
  /** The device it is of; null where it would be refused as a whole. */
  readonly device: string | null;
  /** The number of readings that would be stored, or are already. */
  readonly readings: number;
  /** The number of strings, which stay in the message and the twin. */
  readonly texts: number;
  /** A field of null is the whole message. */
  readonly problems: readonly (Refusal & { readonly field: string | null })[];
}

/** A message to judge. */
interface Judged {
  readonly bytes: Uint8Array;
  /** The site its sender speaks for; null for any. */
  readonly senderSite: string | null;
}

/** Judges messages as the worker does, each by itself, by the catalog as it is now; adds nothing to it. */
export function createPreview({ catalog, bounds }: PreviewDeps) {
  return async (messages: readonly Judged[]): Promise<readonly Preview[]> => {
    const now = bounds();
    const outcomes = messages.map(({ bytes }) => decodeMessage(bytes, now));
    const decoded = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.message] : []));
    const sayUnits = decoded.filter(({ units }) => units !== undefined);
    const [devices, sites, metrics, own, room] = await Promise.all([
      catalog.devices([...new Set(decoded.map(({ device }) => device))]),
      catalog.sites([...new Set(messages.flatMap(({ senderSite }) => senderSite ?? []))]),
      catalog.metrics([...new Set(decoded.flatMap(namesIn))]),
      catalog.ownUnits([...new Set(sayUnits.map(({ device }) => device))]),
      catalog.room(),
    ]);
    const known = new Map(devices.map(({ name, siteId }) => [name, siteId]));
    const names = new Set(metrics.map(({ name }) => name));
    const units = new Map(metrics.map(({ name, unit }) => [name, unit]));
    return outcomes.map((outcome, i) => {
      if (!outcome.ok) return refused(outcome);
      const { message } = outcome;
      const [site, { senderSite }] = [known.get(message.device), messages[i]!];
      if (site === undefined && room.devices <= 0) return refused(NO_ROOM_FOR_DEVICE);
      if (site !== undefined && senderSite !== null && (site === null || site !== sites.get(senderSite)))
        return refused(ofOtherSite(message.device, senderSite));
      const {
        values,
        texts,
        refused: fields,
      } = judgeFields(message, metricsFor(message, names, room.metrics), {
        unitAt: (name) => own.get(message.device)?.get(name) ?? units.get(name) ?? null,
      });
      const problems = fields.map(({ field, reason, detail }) => ({ field, reason, detail }));
      return { device: message.device, readings: values.length, texts: texts.length, problems };
    });
  };
}

/** Previews of messages, each by itself. */
export type PreviewOf = ReturnType<typeof createPreview>;

/** Previews of dead letters: one that is a whole delivery, by the current mapping of its source. */
export type PreviewLetters = (letters: readonly PreviewedLetter[]) => Promise<readonly Preview[]>;

type PreviewedLetter = Pick<DeadLetter, "id" | "raw" | "senderSite" | "delivery">;

export function createPreviewLetters(previewOf: PreviewOf, reread: RereadDeliveries): PreviewLetters {
  return async (letters) => {
    const rereads = await reread(letters.filter(({ delivery }) => delivery !== null));
    const messages = letters.map(({ id, raw, senderSite, delivery }) =>
      delivery === null
        ? [{ bytes: raw, senderSite }]
        : (rereads.get(id)?.records.map(({ value }) => ({ bytes: value, senderSite })) ?? []),
    );
    const previews = [...(await previewOf(messages.flat()))];
    return letters.map(({ id, delivery }, i) => {
      const own = previews.splice(0, messages[i]!.length);
      if (delivery === null) return own[0]!;
      const why = stillRefused(delivery.source, rereads.get(id));
      const refusal = why === null ? [] : [{ reason: "notMapped" as const, detail: why, field: null }];
      return {
        device: null,
        readings: own.reduce((sum, { readings }) => sum + readings, 0),
        texts: own.reduce((sum, { texts }) => sum + texts, 0),
        problems: [...refusal, ...own.flatMap(({ problems }) => problems)],
      };
    });
  };
}

function refused({ reason, detail }: Refusal): Preview {
  return { device: null, readings: 0, texts: 0, problems: [{ field: null, reason, detail }] };
}

function namesIn({ shape, texts }: DecodedMessage): string[] {
  return [...shape.names, ...texts.map(([name]) => name)];
}

/** Finds whether a field would have a metric: one that is known, or one the message would bring into the catalog. */
function metricsFor(message: DecodedMessage, known: ReadonlySet<string>, room: number): (name: string) => boolean {
  const fresh = new Set<string>();
  for (const name of message.shape.names) if (!known.has(name) && fresh.size < room) fresh.add(name);
  return (name) => known.has(name) || fresh.has(name);
}
