/** The step of a trace that what follows belongs to. */
export interface TraceParent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** As https://www.w3.org/TR/trace-context/ has it; versions to come may add to it. */
const TRACEPARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** Reads a header `traceparent`; null where it is none. */
export function readTraceparent(text: unknown): TraceParent | null {
  const [, version, traceId, spanId, flags, more] = (typeof text === "string" && TRACEPARENT.exec(text)) || [];
  if (traceId === undefined || spanId === undefined || (version === "00" && more !== undefined)) return null;
  return { traceId, spanId, isSampled: (parseInt(flags!, 16) & 1) === 1 };
}

/** Writes the header by which what follows is known to belong to it. */
export function toTraceparent({ traceId, spanId, isSampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}
