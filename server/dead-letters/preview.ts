import { judgeFields, NO_ROOM_FOR_DEVICE } from "@/server/domain/fields";
import { type DecodeBounds, type DecodedMessage, decodeMessage } from "@/server/domain/message";
import type { Refusal } from "@/server/domain/reasons";
import type { MetricKind } from "@/server/domain/terms";

/** What the judge reads of the catalog. */
export interface CatalogView {
  /** Those of the named devices that are known. */
  devices(names: readonly string[]): Promise<readonly { readonly name: string }[]>;
  /** Those of the named metrics that are known. */
  metrics(names: readonly string[]): Promise<readonly { readonly name: string; readonly kind: MetricKind }[]>;
  /** How many more the catalog takes; below zero when a limit was lowered. */
  room(): Promise<{ readonly devices: number; readonly metrics: number }>;
}

export interface PreviewDeps {
  readonly catalog: CatalogView;
  /** Bounds of event times, as of now. */
  readonly bounds: () => DecodeBounds;
}

/** What would come of a message if the worker got it now. */
export interface Preview {
  /** Readings that would be stored, or are there already. */
  readonly readings: number;
  /** Strings, which stay in the message and the twin. */
  readonly texts: number;
  /** A field of null is the whole message. */
  readonly problems: readonly (Refusal & { readonly field: string | null })[];
}

/** Judges messages as the worker does, each by itself, by the catalog as it is now; adds nothing to it. */
export function createPreview({ catalog, bounds }: PreviewDeps) {
  return async (messages: readonly Uint8Array[]): Promise<readonly Preview[]> => {
    const now = bounds();
    const outcomes = messages.map((bytes) => decodeMessage(bytes, now));
    const decoded = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.message] : []));
    const [devices, metrics, room] = await Promise.all([
      catalog.devices([...new Set(decoded.map(({ device }) => device))]),
      catalog.metrics([...new Set(decoded.flatMap(namesIn))]),
      catalog.room(),
    ]);
    const known = new Set(devices.map(({ name }) => name));
    const kinds = new Map(metrics.map(({ name, kind }) => [name, kind]));
    return outcomes.map((outcome) => {
      if (!outcome.ok) return refused(outcome);
      const { message } = outcome;
      if (!known.has(message.device) && room.devices <= 0) return refused(NO_ROOM_FOR_DEVICE);
      const { readings, texts, refused: fields } = judgeFields(message, kindsFor(message, kinds, room.metrics));
      const problems = fields.map(({ field, reason, detail }) => ({ field, reason, detail }));
      return { readings: readings.length, texts: texts.length, problems };
    });
  };
}

export type PreviewOf = ReturnType<typeof createPreview>;

function refused({ reason, detail }: Refusal): Preview {
  return { readings: 0, texts: 0, problems: [{ field: null, reason, detail }] };
}

function namesIn({ values, texts }: DecodedMessage): string[] {
  return [...values, ...texts].map(([name]) => name);
}

/** The kinds the message's metrics have, those it would bring into the catalog included. */
function kindsFor(message: DecodedMessage, kinds: ReadonlyMap<string, MetricKind>, room: number) {
  const fresh = new Map<string, MetricKind>();
  for (const [name, value] of message.values)
    if (!kinds.has(name) && fresh.size < room) fresh.set(name, typeof value as MetricKind);
  return (name: string) => kinds.get(name) ?? fresh.get(name);
}
