import type { ReadableSpan, SpanExporter, SpanProcessor } from "@opentelemetry/sdk-trace-base";

/** The most spans that wait, and the most that are sent at once. */
const MOST_WAITING = 2048;
const AT_ONCE = 512;
/** Spans wait so long for others at most, in milliseconds. */
const TOGETHER_MS = 1000;
/** The time the last of them have when the process ends, in milliseconds. */
const LAST_MS = 1000;

/** What became of spans: sent, or dropped as too many waited or they could not be sent. */
export type OnSpans = (outcome: "sent" | "dropped", count: number) => void;

/** Sends spans some at a time. Nobody waits for it: what there is no room for is dropped and counted, as is what can't be sent. */
export function createSpanQueue(exporter: SpanExporter, onSpans: OnSpans): SpanProcessor {
  let waiting: ReadableSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | null = null;

  function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (sending !== null || waiting.length === 0) return sending ?? Promise.resolve();
    const batch = waiting.slice(0, AT_ONCE);
    waiting = waiting.slice(AT_ONCE);
    sending = new Promise<void>((resolve) =>
      exporter.export(batch, ({ code }) => {
        onSpans(code === 0 ? "sent" : "dropped", batch.length);
        resolve();
      }),
    ).finally(() => {
      sending = null;
      if (waiting.length >= AT_ONCE) void send();
      else if (waiting.length > 0) arm();
    });
    return sending;
  }

  function arm(): void {
    timer ??= setTimeout(() => void send(), TOGETHER_MS).unref();
  }

  return {
    onStart() {},
    onEnd(span) {
      if (waiting.length >= MOST_WAITING) return onSpans("dropped", 1);
      waiting.push(span);
      if (waiting.length >= AT_ONCE) void send();
      else arm();
    },
    async forceFlush() {
      while (sending !== null || waiting.length > 0) await send();
    },
    async shutdown() {
      const over = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS).unref());
      await Promise.race([this.forceFlush(), over]);
      clearTimeout(timer);
      onSpans("dropped", waiting.length);
      waiting = [];
      await exporter.shutdown();
    },
  };
}
