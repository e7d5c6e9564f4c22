import { compileMapping } from "@/server/domain/mapping/compile";
import type { FromPosition } from "@/server/domain/from-mark";
import { compileOutsideConditions } from "@/server/domain/mapping/conditions";
import type { Delivery, IgnoreRule, Mapped, Part } from "@/server/domain/mapping/delivery";
import type { CommonLabels } from "@/server/domain/mapping/labels";
import type { Mapping } from "@/server/domain/mapping/mapping";
import type { TraceParent } from "@/server/observability/trace-context";
import { TooManyError, UnreadableError } from "./decoders/decoder";
import { DECODER_OF } from "./decoders/decoders";
import { unpacked } from "./unpack";

/** A delivery, and what a door that knows more than its bytes has made of it. */
export interface Incoming extends Delivery {
  /** In place of the mapping's decoder. @throws UnreadableError */
  readonly parts?: () => readonly Part[];
  /** Where it lay in the log it was taken over from: what comes again by that is left out. */
  readonly from?: FromPosition;
  /** The step of its sender's trace that sent it, where a protocol's own place tells. */
  readonly sender?: TraceParent;
  /** Header of the records made of it, by which they belong to a trace that is kept. */
  readonly traceparent?: string;
}

/** Functions of sources' mappings, as long as somebody has the mapping: a changed source has another one. */
const compiled = new WeakMap<Mapping, ReturnType<typeof compileMapping>>();

/**
 * Decodes a delivery and maps it: for doors, previews and resends alike. Never throws: what can't be read is a refusal.
 * @param onFault is told of an error that no decoder or mapping foresaw.
 */
export function readDelivery(
  { mapping, labels }: { readonly mapping: Mapping; readonly labels: CommonLabels },
  delivery: Incoming,
  onFault: (error: unknown) => void = ignore,
): Mapped {
  const compile = () => {
    let run = compiled.get(mapping);
    if (run === undefined) compiled.set(mapping, (run = compileMapping(mapping, { labels })));
    return run;
  };
  return readBy(compile, mapping, delivery, onFault);
}

/** The same, with what became of each leaf. */
export function explainDelivery(mapping: Mapping, delivery: Incoming): Mapped {
  return readBy(() => compileMapping(mapping, { explain: true }), mapping, delivery, ignore);
}

function readBy(
  compile: () => ReturnType<typeof compileMapping>,
  mapping: Mapping,
  delivery: Incoming,
  onFault: (error: unknown) => void,
): Mapped {
  // Remote-write is unpacked by its decoder.
  const isItsOwn = delivery.beside.headers["content-encoding"] === "snappy" && mapping.decode === "remote-write";
  try {
    const read = isItsOwn ? delivery : unpacked(delivery);
    const parts = read.parts?.() ?? DECODER_OF[mapping.decode](read, mapping);
    return compile()(parts, read);
  } catch (error) {
    if (error instanceof TooManyError) return unreadable(error.message, "tooLarge");
    if (error instanceof UnreadableError) return noData(mapping, delivery) ?? unreadable(error.message);
    onFault(error);
    return unreadable("it made the reading of it fail: report this with the payload");
  }
}

/** What can't be read, and was never meant to be; null if it was. */
function noData({ when }: Mapping, { body, beside }: Incoming): Mapped | null {
  if (compileOutsideConditions(when)({ body, beside, arrived: 0 })) return ignored("when");
  // By MQTT an empty payload says that a topic's retained message is gone.
  return beside.topic !== null && body.byteLength === 0 ? ignored("empty") : null;
}

function ignored(rule: IgnoreRule): Mapped {
  return {
    ...{ messages: [], refused: [], ignored: new Map([[rule, 1]]) },
    leaves: [{ path: "", as: "ignored", why: rule }],
  };
}

function ignore(): void {}

function unreadable(detail: string, reason: "unreadable" | "tooLarge" = "unreadable"): Mapped {
  return {
    ...{ messages: [], ignored: new Map() },
    refused: [{ path: "", reason, detail }],
    leaves: [{ path: "", as: "refused", why: reason }],
  };
}
